"""How does a sandbox run on a socket, for a program or for one test?"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from dhis2_sandbox.faults.connection import BreakableProtocol


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotLoopback(ValueError):
    """The sandbox is for the own machine only: it guards nothing."""


def listen(host: str, port: int) -> socket.socket:
    """Open a socket; port 0 takes a free one.

    Raises:
        NotLoopback: for a host that others could reach.
        OSError: if the port is taken.
    """
    if host not in _LOOPBACK:
        raise NotLoopback(f"{host} is not a loopback address; use 127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


def server_for(app: ASGIApp, when_ready: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """Return a server that says when it accepts connections, and stops within a second."""
    config = uvicorn.Config(
        app,
        http=BreakableProtocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    return _Announcing(config, when_ready)


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Run the application in a thread, on a free port; yield its base URL."""
    listener = listen("127.0.0.1", 0)
    ready = threading.Event()
    server = server_for(app, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    if not ready.wait(timeout=10):
        raise RuntimeError("the sandbox did not start within 10 s")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_ready()
