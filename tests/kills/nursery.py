"""A step in a process of its own that kills itself where a test says.

One process that has imported everything forks the others, since importing takes far
longer than the step. `python nursery.py` reads a job a line, and answers a line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from tracker_sync.route import Route
from tracker_sync.steps.extract import extract
from tracker_sync.workspace import Workspace


@dataclass(frozen=True)
class Job:
    """One try of `extract`.

    Attributes:
        url: The source.
        root: The staging root.
        route: The route, as JSON.
        slice: The slice.
        log: Where each boundary is written that is come to.
        kill_at: The boundary that is deadly.
        nth: Which time.
    """

    url: str
    root: str
    route: str
    slice: str
    log: str
    kill_at: str = ""
    nth: int = 1


@dataclass
class Boundaries:
    """Counts what the process does to files and servers, and ends it at one of them."""

    job: Job
    log: int = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)
    times: int = 0

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
            self.come_to("request")
        elif event in _OF_FILES and self.job.root in str(given[0]):
            self.come_to(f"{_OF_FILES[event]} {_plain(given[0])}")

    def around(self, holder: Any, name: str, label: Callable[[Any], str]) -> None:
        """Come to a boundary before and after what Python doesn't tell of."""
        function = getattr(holder, name)

        def wrapped(*args: Any, **named: Any) -> Any:
            self.come_to(f"before {label(args[0])}")
            result = function(*args, **named)
            self.come_to(f"after {label(args[0])}")
            return result

        setattr(holder, name, wrapped)


_OF_FILES = {"open": "open", "os.rename": "rename", "os.remove": "remove", "os.mkdir": "mkdir"}


def _plain(path: Any) -> str:
    """Return a file's name without what differs from run to run."""
    parts = Path(path).name.split(".")
    return f"{parts[1]}.{parts[2]} draft" if parts[0] == "" else Path(path).name


def _file(writer: Any) -> str:
    return _plain(writer.where)


def _name_of(handle: int) -> str:
    return _plain(Path(f"/proc/self/fd/{handle}").readlink())


def run(job: Job) -> None:
    """Run the step, up to the boundary."""
    boundaries = Boundaries(job)
    boundaries.around(os, "fsync", lambda handle: f"fsync of {_name_of(handle)}")
    boundaries.around(pq, "ParquetFile", lambda path: f"reading {_plain(path)}")
    boundaries.around(pq.ParquetWriter, "write_table", lambda w: f"row group of {_file(w)}")
    boundaries.around(pq.ParquetWriter, "close", lambda w: f"footer of {_file(w)}")
    boundaries.around(Dhis2Client, "get_bytes", lambda _: "answer")
    sys.addaudithook(boundaries.heard)
    route = Route.model_validate_json(job.route)
    with Dhis2Client(job.url) as client:
        extract(client, route, Workspace(Path(job.root), "demo", "manual__1"), job.slice, 1)
    boundaries.come_to("end")


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


def as_line(job: Job) -> str:
    """Return a job as the line that the nursery reads."""
    return json.dumps(asdict(job)) + "\n"


if __name__ == "__main__":
    main()
