"""Loading a batch: compare, send what differs, and read back what is in doubt.

A round reads what the destination holds, plans, sends and accounts, and reads back
the stamps of what was written. If the outcome of a request is unknown, or its report
leaves an object out, or what it calls stored is not there, the next round finds out:
what is equal by then was stored, what still differs is sent again, in smaller requests.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from dhis2_api.errors import TransientError
from dhis2_api.importer import Ref
from tracker_sync.ledger import as_entries, as_table
from tracker_sync.loading.bringing_files import Brought, bring
from tracker_sync.loading.comparing import held_of, plan_batch, planned_against
from tracker_sync.loading.fresh import Fresh, fresh_of
from tracker_sync.loading.intending import on_their_way
from tracker_sync.loading.stamps import read_stamps
from tracker_sync.outcome import Entry, Outcome, with_stamp
from tracker_sync.planning.foreign import any_there
from tracker_sync.planning.objects import Tree
from tracker_sync.planning.plan import EDITED_THERE, Past, Planned, plan
from tracker_sync.planning.would_be import unsent
from tracker_sync.sending.choreography import LEFT_OPEN, in_more_steps
from tracker_sync.sending.delivery import accounted, deliver
from tracker_sync.sending.destination import Destination
from tracker_sync.sending.halving import OF_THE_WHOLE, REQUEST_REFUSED, halved


__all__ = ["NOT_THERE", "Destination", "bring_files", "load_batch", "load_lines", "plan_batch"]

NOT_THERE = "SYNC_STORED_AND_NOT_THERE"

# A server that broke down may have done the work, be it the second step's.
_BROKEN = frozenset({REQUEST_REFUSED, LEFT_OPEN})

_log = logging.getLogger(__name__)


def load_batch(destination: Destination, trees: Sequence[Tree], past: Past) -> list[Entry]:
    """Do as `load_lines` does, and return the lines as objects."""
    return [*as_entries(load_lines(destination, trees, past))]


def load_lines(destination: Destination, trees: Sequence[Tree], past: Past) -> pa.Table:
    """Make the destination hold *trees* and their files; return what became of each in `LEDGER`.

    In a dry run nothing is sent, and what would be is held.

    Raises:
        TransientError: The destination did not answer in any round.
    """
    if destination.dry_run:
        return as_table(unsent(item.entry) for item in plan_batch(destination, trees, past))
    brought = bring_files(destination, trees, past)
    batch = _Batch(destination, brought.trees, past)
    batch.rounds()
    if batch.whole is not None and not brought.values:
        return batch.whole
    lines = {line.ref: line for line in batch.entries()}
    return as_table([*lines.values(), *brought.lines(lines)])


def bring_files(destination: Destination, trees: Sequence[Tree], past: Past) -> Brought:
    """Upload the files of what is new, and of what the destination has lost; see `bring`.

    Raises:
        TransientError: A server stopped answering.
    """

    def to_send(some: Sequence[Tree]) -> frozenset[Ref]:
        planned = plan_batch(destination, some, past)
        return frozenset(item.entry.ref for item in planned if item.text is not None)

    return bring(destination, trees, past, to_send)


@dataclass(slots=True)
class _Batch:
    destination: Destination
    trees: Sequence[Tree]
    past: Past
    lines: dict[Ref, Entry] = field(default_factory=dict)
    tried: dict[Ref, Entry] = field(default_factory=dict)
    requests: int = 1
    whole: pa.Table | None = None

    def entries(self) -> Iterable[Entry]:
        """Return the lines of all."""
        return self.lines.values() if self.whole is None else as_entries(self.whole)

    def rounds(self) -> None:
        """Compare and send until nothing is in doubt, or no round is left."""
        for pause in self.destination.pauses:
            try:
                if self._round():
                    return
            except TransientError as error:
                _log.warning("outcome unknown, reading back in %g s: %s", pause, error)
                self.requests *= 2
                time.sleep(pause)
        self._round()

    def _round(self) -> bool:
        """Compare, send and account once; return whether nothing is in doubt."""
        held = held_of(self.destination, self.trees, self.past)
        met = held or self.tried or self.past.known
        fresh = None if met or self.requests > 1 else fresh_of(self.trees)
        if fresh and not any_there(self.destination.client, fresh.enrollments()):
            return self._send_fresh(fresh)
        planned = planned_against(self.destination, self.trees, held, self.past)
        to_send = [item for item in planned if item.text is not None]
        entries = [item.entry for item in planned]
        lines = map(self._line, entries) if self.tried else entries
        self.lines = {line.ref: line for line in lines}
        self.tried |= {item.entry.ref: item.entry for item in to_send}
        for part in _parts(to_send, self.requests):
            self._in_more_steps(part, self._send(part))
        return self._nothing_in_doubt()

    def _send_fresh(self, fresh: Fresh) -> bool:
        """Send what nobody has met, and do as `_round` does; as columns, if all of it is stored."""
        there = self.destination
        try:
            there.before_write()
            report = there.posting.post(there.client, fresh.request(), len(self.trees))
            self.whole = fresh.all_stored(there.client, self.trees, report)
        except TransientError:
            self._plan_fresh()
            raise
        except OF_THE_WHOLE:
            planned = self._plan_fresh()
            lines = [line for half in halved(planned) for line in self._send(half)]
        else:
            if self.whole is not None:
                return True
            planned = self._plan_fresh()
            lines = accounted(planned, report)
        self._in_more_steps(planned, lines)
        return self._nothing_in_doubt()

    def _plan_fresh(self) -> list[Planned]:
        planned = [item for tree in self.trees for item in plan(tree, None, self.past)]
        self.tried = {item.entry.ref: item.entry for item in planned}
        return planned

    def _send(self, planned: Sequence[Planned]) -> list[Entry]:
        there = self.destination
        there.about_to(on_their_way(planned))
        return deliver(there.client, planned, there.before_write, there.posting)

    def _in_more_steps(self, planned: Sequence[Planned], lines: Sequence[Entry]) -> None:
        lines = in_more_steps(self._send, planned, lines)
        self.lines |= {line.ref: line for line in lines}

    def _nothing_in_doubt(self) -> bool:
        """Read back what is in doubt, and return whether nothing is any more."""
        self._look_at_the_broken()
        self._read_back()
        return all(line.outcome is not Outcome.MISSING for line in self.lines.values())

    def _line(self, entry: Entry) -> Entry:
        """Return the line of an object nobody sends now: equal after being sent is stored."""
        sent = self.tried.get(entry.ref)
        if sent is not None and entry.outcome is Outcome.UNCHANGED:
            stamp = entry.destination_updated_at
            return sent.but(outcome=Outcome.STORED, destination_updated_at=stamp)
        return entry

    def _look_at_the_broken(self) -> None:
        """Call what a server broke down at stored, where it is there all the same."""
        broken = {line.root for line in self.lines.values() if line.code in _BROKEN}
        if not broken:
            return
        trees = [tree for tree in self.trees if tree.uid in broken]
        for item in plan_batch(self.destination, trees, self.past):
            if item.entry.outcome is Outcome.UNCHANGED and item.entry.ref in self.tried:
                self.lines[item.entry.ref] = self._line(item.entry)

    def _read_back(self) -> None:
        """Give the lines of all trees that were written the stamps they have by now.

        A write moves the stamps of what stands above as well (measured: Clock).
        """
        written = {line.root for line in self.lines.values() if line.outcome is Outcome.STORED}
        if written:
            there = read_stamps(self.destination.client, _of(self.trees, written))
            self.lines |= {
                ref: with_stamp(line, there[ref]) if ref in there else _not_there(line)
                for ref, line in self.lines.items()
                if line.root in written and line.code != EDITED_THERE
            }


def _of(trees: Sequence[Tree], roots: Collection[str]) -> list[Tree]:
    return [tree for tree in trees if tree.uid in roots]


def _parts(planned: Sequence[Planned], count: int) -> Iterator[list[Planned]]:
    """Yield *planned* in so many parts, where there are as many people; each of them whole."""
    if count == 1:
        yield from [[*planned]] if planned else []
        return
    roots = list(dict.fromkeys(item.entry.root for item in planned))
    most = -(-len(roots) // count) or 1
    for start in range(0, len(roots), most):
        part = set(roots[start : start + most])
        yield [item for item in planned if item.entry.root in part]


def _not_there(line: Entry) -> Entry:
    """Return the line of what the destination does not return: missing, if it was stored."""
    if line.outcome is Outcome.STORED:
        return line.but(outcome=Outcome.MISSING, action=None, code=NOT_THERE)
    return line
