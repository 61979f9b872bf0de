"""The servers: two sandbox DHIS2 on free ports, stopped whatever happens."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials


_READY = "listening on "
_SECONDS_TO_STOP = 5


class DidNotStart(Exception):
    """A server or a command of the demo did not come up; says where its output is."""


@dataclass(frozen=True, slots=True)
class SandboxServer:
    """A running sandbox.

    Attributes:
        url: Its address.
        token: The personal access token of its superuser, made for this run.
    """

    url: str
    token: str = field(repr=False)

    def client(self, name: str) -> Dhis2Client:
        """Return a client that speaks to it."""
        return Dhis2Client(self.url, Credentials(token=self.token), name=name)


@contextmanager
def sandbox(folder: Path, name: str, *, district: bool) -> Iterator[SandboxServer]:
    """Start a sandbox that keeps its data in *folder*, and stop it at the end.

    Raises:
        DidNotStart: It said nothing, or died.
    """
    token = f"d2p_{secrets.token_urlsafe(36)}"
    command = [sys.executable, "-P", "-m", "dhis2_sandbox", "--port", "0"]
    command += ["--data", str(folder / f"{name}.sqlite"), *(["--district"] if district else [])]
    environment = os.environ | {
        "DHIS2_SANDBOX_TOKEN": token,
        "DHIS2_SANDBOX_PASSWORD": secrets.token_urlsafe(12),
    }
    log = folder / f"{name}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(  # noqa: S603  # our own module, by the interpreter that runs us
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to pass on, once the demo has let go
        ) as process,
    ):
        try:
            yield SandboxServer(_url(process, log), token)
        finally:
            _stop(process)


def _url(process: subprocess.Popen[str], log: Path) -> str:
    line = process.stdout.readline().strip() if process.stdout else ""
    if not line.startswith(_READY):
        raise DidNotStart(f"a sandbox did not start: see {log}")
    return line.removeprefix(_READY)


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
