"""Loading a batch: compare, send what differs, and read back what is in doubt.

A round reads what the destination holds, plans, sends and accounts. If the outcome
of a request is unknown, or its report leaves an object out, the next round finds
out: what is equal by then was stored, what still differs is sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.importer import Ref
from tracker_sync.delivery import NOT_IN_REPORT, deliver
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.people import read_people
from tracker_sync.plan import Past, Planned, plan
from tracker_sync.tables import flatten
from tracker_sync.trees import Tree, grow


_log = logging.getLogger(__name__)


def _nothing() -> None:
    """What is called before a write where nobody needs to be asked."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The server that is written to.

    Attributes:
        client: Speaks to it.
        programs: The programs that are compared.
        pauses: Seconds to wait before each further round after an unknown outcome.
        before_write: Called before each write; raises if this run may not write any more.
    """

    client: Dhis2Client
    programs: tuple[str, ...]
    pauses: tuple[float, ...] = (1.0, 5.0, 20.0)
    before_write: Callable[[], None] = _nothing


def load_batch(destination: Destination, trees: Sequence[Tree], past: Past) -> list[Entry]:
    """Make the destination hold *trees*, and return what became of each object.

    Raises:
        TransientError: The destination did not answer in any round.
    """
    batch = _Batch(destination, trees, past)
    for pause in destination.pauses:
        try:
            if batch.round():
                return batch.entries()
        except TransientError as error:
            _log.warning("outcome unknown, reading back in %g s: %s", pause, error)
            time.sleep(pause)
    batch.round()
    return batch.entries()


@dataclass(slots=True)
class _Batch:
    destination: Destination
    trees: Sequence[Tree]
    past: Past
    lines: dict[Ref, Entry] = field(default_factory=dict)
    tried: dict[Ref, Entry] = field(default_factory=dict)

    def entries(self) -> list[Entry]:
        return [*self.lines.values()]

    def round(self) -> bool:
        """Compare, send and account once; return whether nothing is in doubt."""
        planned = self._plan()
        self.lines = {item.entry.ref: self._line(item.entry) for item in planned}
        to_send = [item for item in planned if item.payload is not None]
        if to_send:
            self.destination.before_write()
        self.tried |= {item.entry.ref: item.entry for item in to_send}
        self.lines |= {entry.ref: entry for entry in deliver(self.destination.client, to_send)}
        return all(entry.outcome is not Outcome.MISSING for entry in self.lines.values())

    def _plan(self) -> list[Planned]:
        held = self._held()
        return [item for tree in self.trees for item in plan(tree, held.get(tree.uid), self.past)]

    def _held(self) -> Mapping[str, Tree]:
        uids = [tree.uid for tree in self.trees]
        batches = read_people(self.destination.client, uids, at_once=300)
        tables = (flatten(people.rows, self.destination.programs) for people in batches)
        return {tree.uid: tree for group in tables for tree in grow(group)}

    def _line(self, entry: Entry) -> Entry:
        """Return the line of an object nobody sends now: equal after being sent is stored."""
        sent = self.tried.get(entry.ref)
        if sent is not None and entry.outcome is Outcome.UNCHANGED:
            return replace(sent, outcome=Outcome.STORED)
        return replace(entry, code=NOT_IN_REPORT, known=False) if entry.sent else entry
