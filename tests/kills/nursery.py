"""A step in a process of its own that kills itself where a test says.

One process that has imported everything forks the others, since importing takes far
longer than the step. `python nursery.py` reads a job a line, and answers a line.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.exchange import Request
from dhis2_api.transport import Transport
from tracker_sync.loading.batch import Destination
from tracker_sync.metadata.model import Model
from tracker_sync.route import Route
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.staging.package import Staged
from tracker_sync.steps import deletes, second_pass
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.workspace import Workspace


@dataclass(frozen=True)
class Job:
    """One try of `extract`, of `load` if it is given bundles, or of a phase after the slices.

    Attributes:
        url: The source, or the destination.
        root: The staging root.
        route: The route, as JSON.
        slice: The slice.
        log: Where each boundary is written that is come to.
        kill_at: The boundary that is deadly.
        nth: Which time.
        bundles: The package that is loaded: `manifest` and `sha256`.
        name: The route's, as its folder is called.
        run_id: The run.
        token: Of the account.
        destination: Where a phase writes; `url` is then the source.
        phase: Which phase.
    """

    url: str
    root: str
    route: str
    slice: str
    log: str
    kill_at: str = ""
    nth: int = 1
    bundles: dict[str, str] | None = None
    name: str = "demo"
    run_id: str = "manual__1"
    token: str | None = None
    destination: str = ""
    phase: str = "deletes"


@dataclass
class Boundaries:
    """Counts what the process does to files and servers, and ends it at one of them."""

    job: Job
    log: int = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)
    times: int = 0
    at: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self.log = os.open(self.job.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def come_to(self, boundary: str) -> None:
        with self.lock:
            self.times += boundary == self.job.kill_at
            if boundary == self.job.kill_at and self.times == self.job.nth:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(self.log, f"{boundary}\n".encode())

    def heard(self, event: str, given: tuple[Any, ...]) -> None:
        """Hear what Python itself tells of (`sys.addaudithook`)."""
        if event == "http.client.send":
            self.come_to(f"request{getattr(self.at, 'request', '')}")
        elif event in _OF_FILES and self.job.root in str(given[0]):
            self.come_to(f"{_OF_FILES[event]} {_plain(given[0])}")

    def named(self, _: Transport, request: Request) -> str:
        """Return which request is sent, and remember it while it is."""
        named = f"{request.method} {request.path}"
        self.at.request = f" of {named}"
        return named

    def answer(self, *_: Any) -> str:
        """Return which request's answer is waited for."""
        return f"answer{getattr(self.at, 'request', '')}"

    def around(self, holder: Any, name: str, label: Callable[..., str]) -> None:
        """Come to a boundary before and after what Python doesn't tell of."""
        function = getattr(holder, name)

        def wrapped(*args: Any, **named: Any) -> Any:
            self.come_to(f"before {label(*args)}")
            result = function(*args, **named)
            self.come_to(f"after {label(*args)}")
            return result

        setattr(holder, name, wrapped)


_OF_FILES = {"open": "open", "os.rename": "rename", "os.remove": "remove", "os.mkdir": "mkdir"}


def _plain(path: Any) -> str:
    """Return a file's name without what differs from run to run."""
    name, draft = Path(path).name, ""
    if name.startswith("."):
        name, draft = ".".join(name.split(".")[1:-2]), " draft"
    if re.fullmatch("[0-9a-f]{12}", name):
        name = "state"  # the folder of a pair of servers
    return ("state page" if "--" in name else name) + draft


def _file(writer: Any, *_: Any) -> str:
    return _plain(writer.where)


def _read(path: Any, *_: Any) -> str:
    return f"reading {_plain(path) if isinstance(path, str | Path) else 'state page'}"


def _name_of(handle: int) -> str:
    return _plain(Path(f"/proc/self/fd/{handle}").readlink())


def run(job: Job) -> None:
    """Run the step, up to the boundary."""
    boundaries = Boundaries(job)
    boundaries.around(os, "fsync", lambda handle: f"fsync of {_name_of(handle)}")
    boundaries.around(pq, "ParquetFile", _read)
    boundaries.around(pq.ParquetWriter, "write_table", lambda w, *_: f"row group of {_file(w)}")
    if job.bundles:
        boundaries.around(http.client.HTTPConnection, "getresponse", boundaries.answer)
    boundaries.around(pq.ParquetWriter, "close", lambda w: f"footer of {_file(w)}")
    if job.bundles is None and not job.destination:
        boundaries.around(Dhis2Client, "get_bytes", lambda *_: "answer")
    else:
        boundaries.around(Transport, "send", boundaries.named)
    sys.addaudithook(boundaries.heard)
    with Dhis2Client(job.url, Credentials(token=job.token)) as client:
        _step(job, client)
    boundaries.come_to("end")


_PHASES = {"deletes": deletes.run, "second_pass": second_pass.run}


def _step(job: Job, client: Dhis2Client) -> None:
    route = Route.model_validate_json(job.route)
    workspace = Workspace(Path(job.root), job.name, job.run_id)
    if job.destination:
        model = Model.read(workspace.model)
        with Dhis2Client(job.destination, Credentials(token=job.token)) as there:
            to = Destination(there, route.programs)
            after = AfterSlices(client, to, route, workspace, model)
            _PHASES[job.phase](after)
        return
    if job.bundles is None:
        extract(client, route, workspace, job.slice, 1)
        return
    (piece,) = [piece for piece in read_run_plan(workspace.plan).slices if piece.slice == job.slice]
    load(Destination(client, route.programs), route, workspace, piece, Staged(**job.bundles))


def main() -> None:
    """Run jobs, each in a process of its own; answer the signal that ended it, or 0."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run(Job(**json.loads(line)))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)
        print(ended, flush=True)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
