"""How does a sandbox run on a socket, for a program or for one test?"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from dhis2_sandbox.faults.connection import BreakableProtocol


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SECONDS_FOR_ANSWERS = 1


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


def server_for(app: ASGIApp, when_ready: Callable[[], None] = lambda: None) -> "Server":
    """Return a server that says when it accepts connections, and stops within a second."""
    config = uvicorn.Config(
        app,
        http=BreakableProtocol,
        log_level="warning",
        access_log=False,
        lifespan="on",
    )
    return Server(config, when_ready)


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
        server.stop()
        thread.join(timeout=10)
        listener.close()


class Server(uvicorn.Server):
    """One that says when it is ready, and stops as soon as its last answer is given.

    uvicorn looks ten times a second whether it shall stop; thousands of tests each start two.
    """

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        """Take what uvicorn takes, and what is called once connections are accepted."""
        super().__init__(config)
        self._when_ready = when_ready
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop; any thread may say so, once it is ready."""
        assert self._loop is not None  # noqa: S101 - set before it says that it is ready
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and say so."""
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._when_ready()

    async def main_loop(self) -> None:
        """Run until a signal, or `stop`."""
        ends = [asyncio.ensure_future(end) for end in (super().main_loop(), self._stopping.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, and give those under way a second."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_FOR_ANSWERS):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn's, which tell nobody
                    await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()
