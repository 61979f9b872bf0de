"""The lease: which run may write to a route's destination now?

Each time somebody takes it, it gets a new generation: a key of its own in the destination's
data store, which can be created once only (measured: Clock, identity, locks). The highest
generation holds. So two runs that find an expired lease cannot both take it over, and a run
that lost it finds a higher generation than its own before its next write.

A run renews its lease when a third of the term has passed. When two thirds have, it takes it
anew, as anybody else would: a renewal could cross with a takeover, a new key cannot.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from tracker_sync.leases.holder import Holder, ever_held, holder_of
from tracker_sync.leases.record import LeaseRecord, Moment
from tracker_sync.leases.store import LeaseStore
from tracker_sync.route import Route
from tracker_sync.workspace import Workspace


_MOST_STEPS = 20  # each one lost to a step of somebody else

_log = logging.getLogger(__name__)


class HeldByAnother(TransientError):
    """Another run may write to the destination; this one may later."""


def unguarded() -> None:
    """Stand for `Lease.keep` where nobody else writes."""


@dataclass(slots=True)
class Lease:
    """One task's hold on the destination; all tasks of a run share their run's.

    Attributes:
        store: Where it is kept.
        holder: The run.
        term: How long it counts without a sign of life.
        generation: The generation that this task last saw as its run's.
        due: When this task looks at its age again, by `time.monotonic`.
    """

    store: LeaseStore
    holder: Holder
    term: timedelta
    generation: int = 0
    due: float = 0.0

    def take(self) -> None:
        """Hold the lease, or go on holding it.

        Raises:
            HeldByAnother: Another run holds it.
        """
        for _ in range(_MOST_STEPS):
            if self._step():
                return
        raise HeldByAnother(f"{self} changed whenever this run looked at it")

    def keep(self) -> None:
        """Make sure that the lease is still held; to be called before each write request.

        It asks every time, which costs one small GET beside a POST of seconds: a machine that
        was paused in between cannot tell by its own clock how long ago it asked.

        Raises:
            HeldByAnother: Another run took it over.
        """
        highest = self.store.highest()
        if highest == self.generation and time.monotonic() < self.due:
            return
        record = self.store.read(highest)
        if record and not record.belongs_to(self.holder):
            raise HeldByAnother(f"{self} was taken over by {record}: this task stops writing")
        self.take()

    def release(self) -> None:
        """Let the next run begin; does nothing if this run does not hold the lease."""
        highest = self.store.highest()
        record = self.store.read(highest)
        if record and record.belongs_to(self.holder) and not record.released:
            self.store.replace(highest, record.given_back())
            _log.info("%s is given back", self)

    def _step(self) -> bool:
        """Take one step towards holding the lease; return whether it is held now."""
        now, highest = self.store.now(), self.store.highest()
        record = self.store.read(highest)
        if record is None and highest:
            return False  # gone between two questions: there is a higher one by now
        if record and record.counts(now):
            if not record.belongs_to(self.holder):
                raise HeldByAnother(f"{self}: waiting for {record}")
            if record.age(now) < self.term * 2 / 3:
                return self._go_on(highest, record, now)
        return self._begin(highest + 1, record, now)

    def _go_on(self, generation: int, record: LeaseRecord, now: Moment) -> bool:
        if record.age(now) >= self.term / 3:
            record = record.renewed(now, self.term)
            if not self.store.replace(generation, record):
                return False
            _log.info("%s is renewed", self)
        self._note(generation, record, now)
        return True

    def _begin(self, generation: int, before: LeaseRecord | None, now: Moment) -> bool:
        record = LeaseRecord.taken(self.holder, now, self.term, before)
        if not self.store.create(generation, record):
            return False
        self.store.forget_before(generation)
        _log.info("%s is taken%s", self, f" over from {before}" if record.taken_from else "")
        self._note(generation, record, now)
        return True

    def _note(self, generation: int, record: LeaseRecord, now: Moment) -> None:
        self.generation = generation
        self.due = time.monotonic() + (self.term / 3 - record.age(now)).total_seconds()

    def __str__(self) -> str:
        return f"the lease of `{self.store.route}` on `{self.store.client.name}`"


def lease_of(client: Dhis2Client, route: Route, holder: Holder) -> Lease:
    """Return a run's lease on the destination, held or not."""
    term = timedelta(minutes=route.keeping.lease_minutes)
    return Lease(LeaseStore(client, route.name), holder, term)


def held(client: Dhis2Client, route: Route, workspace: Workspace) -> Lease:
    """Return a run's lease on the destination, held.

    Raises:
        HeldByAnother: Another run holds it.
    """
    lease = lease_of(client, route, holder_of(workspace))
    lease.take()
    return lease


@contextmanager
def given_back_after(client: Dhis2Client, route: Route, workspace: Workspace) -> Iterator[None]:
    """Give the lease back at the end, however that comes, if the run ever held one."""
    try:
        yield
    finally:
        if ever_held(workspace):
            lease_of(client, route, holder_of(workspace)).release()
