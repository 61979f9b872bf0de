"""The worker: one job in a process of its own, on one core, measured.

`python -m tracker_sync_bench.worker MODULE JOB WORK`, where WORK is a `Work` as JSON;
prints a `Measured` as JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict
from importlib import import_module

from tracker_sync_bench.cores import keep_to, measuring
from tracker_sync_bench.work import Job, Measured, Work


# Linux counts in kilobytes, macOS in bytes.
_TO_MEGABYTES = 1 << 20 if sys.platform == "darwin" else 1 << 10


def main() -> None:
    """Do the job that the command line names."""
    module, name, work = sys.argv[1:]
    keep_to(measuring())
    # Only now, so that what one of the two needs is not in the other's memory.
    job: Job = getattr(import_module(f"tracker_sync_bench.{module}"), name)
    measured = measure(job, Work(**json.loads(work)))
    print(json.dumps(asdict(measured)))  # noqa: T201  # what its parent reads


def measure(job: Job, work: Work) -> Measured:
    """Do a job and return what it took."""
    run = job(work)
    before, began = time.process_time(), time.monotonic()
    done = run()
    cpu, wall = time.process_time() - before, time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _TO_MEGABYTES
    return Measured(cpu, wall, peak, done)


if __name__ == "__main__":
    main()
