"""Loading a batch: compare, send what differs, and read back what is in doubt.

A round reads what the destination holds, plans, sends and accounts, and reads back
the stamps of what was written. If the outcome of a request is unknown, or its report
leaves an object out, or what it calls stored is not there, the next round finds out:
what is equal by then was stored, what still differs is sent again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref
from tracker_sync.delivery import NOT_IN_REPORT, deliver
from tracker_sync.file_values import FileValues
from tracker_sync.lease import unguarded
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.people import read_events, read_people
from tracker_sync.plan import Past, Planned, plan
from tracker_sync.stamps import read_stamps
from tracker_sync.tables import Tables, flatten, flatten_events
from tracker_sync.trees import Tree, by_program, grow


NOT_THERE = "SYNC_STORED_AND_NOT_THERE"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Destination:
    """The server that is written to.

    Attributes:
        client: Speaks to it.
        programs: The programs that are compared; a person's others are not looked at.
        pauses: Seconds to wait before each further round after an unknown outcome.
        before_write: Called before each write request; raises if this run may not write any more.
        source: The server that has the files which values name; without it none is brought.
        files: Those values, by what has them.
        dry_run: Whether nothing is written.
    """

    client: Dhis2Client
    programs: tuple[str, ...]
    pauses: tuple[float, ...] = (1.0, 5.0, 20.0)
    before_write: Callable[[], None] = unguarded
    source: Dhis2Client | None = None
    files: FileValues = field(default_factory=dict)
    dry_run: bool = False


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
        self.tried |= {item.entry.ref: item.entry for item in to_send}
        there = self.destination
        delivered = deliver(there.client, to_send, there.before_write)
        self.lines |= {entry.ref: entry for entry in delivered}
        self._read_back()
        return all(entry.outcome is not Outcome.MISSING for entry in self.lines.values())

    def _plan(self) -> list[Planned]:
        held = {tree.uid: tree for tables in self._held() for tree in grow(tables)}
        return [item for tree in self.trees for item in plan(tree, held.get(tree.uid), self.past)]

    def _held(self) -> Iterator[Tables]:
        client = self.destination.client
        for program, uids in by_program(self.trees).items():
            if program:
                found = read_events(client, uids, program, MOST_UIDS)
                yield from (flatten_events(batch.rows) for batch in found)
            else:
                people = read_people(client, uids, MOST_UIDS)
                yield from (flatten(batch.rows, self.destination.programs) for batch in people)

    def _line(self, entry: Entry) -> Entry:
        """Return the line of an object nobody sends now: equal after being sent is stored."""
        sent = self.tried.get(entry.ref)
        if sent is not None and entry.outcome is Outcome.UNCHANGED:
            stamp = entry.destination_updated_at
            return replace(sent, outcome=Outcome.STORED, destination_updated_at=stamp)
        return replace(entry, code=NOT_IN_REPORT, known=False) if entry.sent else entry

    def _read_back(self) -> None:
        """Give the lines of all trees that were written the stamps they have by now.

        A write moves the stamps of what stands above as well (measured: Clock).
        """
        written = {_root(line) for line in self.lines.values() if line.outcome is Outcome.STORED}
        if written:
            trees = [tree for tree in self.trees if tree.uid in written]
            there = read_stamps(self.destination.client, trees)
            for ref, line in self.lines.items():
                if _root(line) in written:
                    self.lines[ref] = _with_stamp(line, there)


def _root(line: Entry) -> str:
    return line.tracked_entity or line.ref.uid


def _with_stamp(line: Entry, there: Mapping[Ref, datetime]) -> Entry:
    """Return a line with the destination's stamp; what is stored and not there is missing."""
    if line.ref in there:
        return replace(line, destination_updated_at=there[line.ref])
    if line.outcome is Outcome.STORED:
        return replace(line, outcome=Outcome.MISSING, action=None, code=NOT_THERE)
    return line
