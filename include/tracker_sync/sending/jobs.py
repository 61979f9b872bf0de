"""The jobs: imports in the server's own queue, which outlive the task that started them."""

from __future__ import annotations

import logging
from threading import Lock
from typing import Protocol

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused
from dhis2_api.jobs import JobLost, JobPatience, await_job


_log = logging.getLogger(__name__)


class Shelf(Protocol):
    """Where UIDs of jobs lie that a retry of the task must know, e.g. Airflow's task state."""

    def read(self) -> list[str]:
        """Return what was written last; nothing at first."""

    def write(self, jobs: list[str]) -> None:
        """Keep *jobs* instead."""


class Jobs:
    """The jobs a task has under way; each is on the shelf from its start to its end.

    Args:
        shelf: Where a retry looks.
        patience: How long one may take.
    """

    def __init__(self, shelf: Shelf, patience: JobPatience | None = None) -> None:
        self._shelf = shelf
        self.patience = patience or JobPatience()
        self._lock = Lock()

    def started(self, job: str) -> None:
        """Hear that a job has begun."""
        with self._lock:
            self._shelf.write([*self._shelf.read(), job])

    def ended(self, *jobs: str) -> None:
        """Hear that jobs need no more waiting for."""
        with self._lock:
            self._shelf.write([other for other in self._shelf.read() if other not in jobs])

    def await_all(self, client: Dhis2Client) -> None:
        """Wait for what an earlier try left under way, and forget it.

        What a job did shows when the destination is compared: nothing is sent beside a
        job that still writes it.

        Raises:
            TransientError: One goes on, or the server is away; the next try waits again.
        """
        for job in self._shelf.read():
            try:
                await_job(client, job, self.patience)
                _log.info("job %s of an earlier try has ended", job)
            except (JobLost, RequestRefused) as error:
                _log.warning("%s", error)
            self.ended(job)
