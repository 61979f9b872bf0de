"""The swapping: how do two people come to have each other's unique value?

The destination refuses both, whoever goes first. So one of them gives up the old value,
which frees it for the other; it gets it back if that was in vain.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.errors import RequestRefused
from dhis2_api.importer import ImportReport
from tracker_sync.ledger import as_entries, read_lines
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.objects import Tree
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.second_pass.again import Again
from tracker_sync.second_pass.living_there import people_at, value_of
from tracker_sync.second_pass.owed import Owed, note_owed, owed_of, settle_owed
from tracker_sync.second_pass.unique_values import UniqueValues, unique_digests


# Another has the value.
_TAKEN = "E1064"
_NOT_ARRIVED = {Outcome.REFUSED, Outcome.MISSING}

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Swapping:
    """Who gives up what in a second pass, and gets it back.

    Attributes:
        after: What every phase works with.
        slices: Who is stuck.
        unique: Who of the run has which unique value.
        asked: Who was asked to give something up, in vain or not.
    """

    after: AfterSlices
    slices: Sequence[Again]
    unique: UniqueValues
    asked: set[str] = field(default_factory=set)

    def give_up(self) -> bool:
        """Have somebody give up a value that another waits for; return whether one did.

        Raises:
            TransientError: The outcome is unknown; the phase finds out when it is tried again.
        """
        for person, owed in () if self.after.destination.dry_run else self._wanted_by_others():
            self.asked.add(person.uid)
            self._before_it_goes(owed)
            if person.objects[0].ref in self._set(person, owed.attribute, None).stored:
                _log.info("%s gives up %s for a while", owed.person, owed.attribute)
                return True
        return False

    def give_back(self) -> None:
        """Give those who are still refused what they had, unless another has it by now.

        Also what was given up in a try, or a run, that did not come so far. What the
        destination does not take for any other reason stays owed.

        Raises:
            TransientError: The outcome is unknown; it stays owed.
        """
        owed = [] if self.after.destination.dry_run else owed_of(self.after.workspace)
        whose = {each.person for each in owed}
        still: set[Owed] = set()
        for person in people_at(self.after, whose - self._as_the_source(whose)):
            theirs = [each for each in owed if each.person == person.uid]
            still |= {each for each in theirs if not self._is_given_back(person, each)}
        settle_owed(self.after.workspace, [each for each in owed if each not in still])

    def _is_given_back(self, person: Tree, owed: Owed) -> bool:
        """Give somebody a value back; return whether that is done, or another has it."""
        if value_of(person, owed.attribute) is not None:
            return True
        report, ref = self._set(person, owed.attribute, owed.value), person.objects[0].ref
        return ref in report.stored or _TAKEN in report.refused.get(ref, ())

    def _stuck(self) -> dict[str, Collection[bytes]]:
        """Return who waits for which values."""
        return {uid: piece.digests[uid] for piece in self.slices for uid in piece.trees}

    def _wanted_by_others(self) -> Iterator[tuple[Tree, Owed]]:
        stuck = {uid: wanted for uid, wanted in self._stuck().items() if wanted}
        everything = Counter(digest for wanted in stuck.values() for digest in wanted)
        secret = self.unique.secret()
        for person in people_at(self.after, stuck.keys() - self.asked):
            held = unique_digests(person, self.after.model, secret)
            for digest in held.keys() - {*stuck[person.uid]}:
                value = value_of(person, held[digest])
                if everything[digest] and value:
                    yield person, Owed(person.uid, held[digest], value)

    def _before_it_goes(self, owed: Owed) -> None:
        """Write down what goes, and let the state forget a stamp that is about to move.

        Else the next run, if this one is killed now, would take that for somebody's edit.
        """
        note_owed(self.after.workspace, owed)
        for piece in self.slices:
            lines = piece.lines_of(owed.person)
            if lines:
                unseen = [line.but(destination_updated_at=None) for line in lines]
                self.after.remember("second_pass", piece.basis, unseen)

    def _as_the_source(self, people: Collection[str]) -> set[str]:
        """Return who of *people* has at the destination the attributes that the source has."""
        stuck = {ref: line for piece in self.slices for ref, line in piece.lines.items()}
        lines = [stuck.get(line.ref, line) for line in self._lines_of(people)]
        with_attributes = [line for line in lines if line.ref.kind != "EVENT"]
        refused = {line.root for line in with_attributes if line.outcome in _NOT_ARRIVED}
        return {line.root for line in lines} - refused

    def _lines_of(self, people: Collection[str]) -> Iterator[Entry]:
        """Yield the lines of *people* as the slices' loads wrote them."""
        whose = pa.array(people, pa.string())
        for piece in self.after.slices() if people else ():
            path = self.after.workspace.ledger(piece.slice)
            if path.is_file():
                rows = read_lines(path)
                yield from as_entries(rows.filter(pc.is_in(rows["tracked_entity"], whose)))

    def _set(self, person: Tree, attribute: str, value: str | None) -> ImportReport:
        """Write one attribute of a person and nothing else; it is refused where it is mandatory.

        Of a request that is refused as a whole nothing is reported.
        """
        sent = json.loads(person.objects[0].content or "{}")
        sent["attributes"] = [{"attribute": attribute, "value": value}]
        there = self.after.destination
        there.before_write()
        try:
            body = json.dumps({"trackedEntities": [sent]}).encode()
            return there.posting.create(there.client, body)
        except RequestRefused as refusal:
            _log.warning("%s: %s", person.uid, refusal)
            return ImportReport(frozenset(), {})
