"""The processes: each measurement in a fresh one, and the mock in another.

The process that starts them stays small: on Linux a child's peak memory begins with
that of its parent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import IO, cast
from urllib.request import urlopen

from tracker_sync_bench.work import MOST_IN_FLIGHT, Measured, Work


# Libraries that would use more than the one core that is measured.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}


class DidNotWork(Exception):
    """A process of the bench failed; its own words stand above."""


def measured(job: str, work: Work, *, times: int = 1) -> Measured:
    """Do a job in fresh processes, one after another, and return the medians.

    Of the clock's seconds the fewest: a busy machine can only add to them.

    Args:
        job: Its module and name, e.g. `plain_reader.stage`.
        work: What it works on.
        times: How often.

    Raises:
        DidNotWork: It failed, or did not do the same each time.
    """
    runs = [_once(job, work) for _ in range(times)]
    if len({run.done for run in runs}) > 1:
        raise DidNotWork(f"{job} did not do the same each time")
    return Measured(
        cpu=median(run.cpu for run in runs),
        wall=min(run.wall for run in runs),
        peak=median(run.peak for run in runs),
        done=runs[0].done,
    )


def _once(job: str, work: Work) -> Measured:
    arguments = [*_python("worker"), *job.split("."), json.dumps(asdict(work))]
    done = subprocess.run(
        arguments, env=os.environ | _ONE_THREAD, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise DidNotWork(f"{job} ended with {done.returncode}")
    return Measured(**json.loads(done.stdout))


@dataclass(frozen=True, slots=True)
class Mock:
    """A mock that serves."""

    url: str

    def most_in_flight(self) -> int:
        """Return how many pages of people it was ever asked for at once."""
        with urlopen(f"{self.url}{MOST_IN_FLIGHT}") as answer:  # noqa: S310  # our own mock
            return int(answer.read())


@contextmanager
def mock(folder: Path, seconds: float = 0, server: str = "mock_server") -> Iterator[Mock]:
    """Serve a folder's material, each page of people after so many *seconds*."""
    arguments = [*_python(server), str(folder), str(seconds)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = cast("IO[str]", process.stdout).readline().strip()
            if not url:
                raise DidNotWork("the mock did not start")
            yield Mock(url)
        finally:
            process.terminate()


def _python(module: str) -> list[str]:
    return [sys.executable, "-P", "-m", f"tracker_sync_bench.{module}"]
