"""The posting: how one import request goes out, and what is learned from how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, TransientError
from dhis2_api.importer import (
    AS_A_COPY,
    ImportOptions,
    ImportReport,
    Ref,
    delete_objects,
    import_objects,
)
from dhis2_api.jobs import JobLost
from tracker_sync.sending.batch_size import BatchSize
from tracker_sync.sending.jobs import Jobs


_TOO_LONG = 413


@dataclass(frozen=True, slots=True)
class Posting:
    """What all import requests of a task share.

    Attributes:
        size: Learns from each how many people the next batch holds.
        jobs: Set to import by the server's queue (`import: async`).
        options: How objects are imported.
    """

    size: BatchSize = field(default_factory=BatchSize)
    jobs: Jobs | None = None
    options: ImportOptions = AS_A_COPY

    def post(self, client: Dhis2Client, body: bytes, people: int) -> ImportReport:
        """Send a request about so many people; raises as `import_objects` does."""
        began = time.monotonic()
        try:
            report = self._imported(client, body)
        except RequestRefused as refusal:
            if refusal.status == _TOO_LONG:
                self.size.was_too_much()
            raise
        except TransientError as error:
            if not error.untouched:
                self.size.was_too_much()
            raise
        if not self.jobs:  # a job's time is mostly that of the jobs before it
            self.size.took(people, time.monotonic() - began)
        return report

    def delete(self, client: Dhis2Client, refs: Collection[Ref]) -> ImportReport:
        """Delete objects of one kind; raises as `delete_objects` does."""
        return self._by_queue(lambda options: delete_objects(client, refs, options))

    def create(self, client: Dhis2Client, body: bytes) -> ImportReport:
        """Send a request of which nobody learns, such as relationships; raises as `post` does."""
        return self._imported(client, body)

    def _imported(self, client: Dhis2Client, body: bytes) -> ImportReport:
        return self._by_queue(lambda options: import_objects(client, body, options))

    def _by_queue(self, send: Callable[[ImportOptions], ImportReport]) -> ImportReport:
        """Send by the server's queue, if that is how requests go; else at once."""
        if not self.jobs:
            return send(self.options)
        begun: list[str] = []

        def started(job: str) -> None:
            begun.append(job)
            jobs.started(job)

        jobs = self.jobs
        try:
            report = send(replace(self.options, job=jobs.patience, on_job=started))
        except (JobLost, RequestRefused):
            jobs.ended(*begun)
            raise
        # After any other end, a kill among them, it may go on: a retry waits for it.
        jobs.ended(*begun)
        return report
