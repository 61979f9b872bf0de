"""The step `owners`: give each person the owner it has at the source."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from dhis2_api.errors import PermanentError
from dhis2_api.importer import Ref
from dhis2_api.ownership import transfer_owner
from tracker_sync.codes import can_heal
from tracker_sync.ledger import read_lines
from tracker_sync.loading.owners import Owner, is_edited, known_owners, owners_in, read_owners
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.plan import EDITED_THERE, PARENT_REFUSED, Known
from tracker_sync.planning.would_be import would_be
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.loaded_slices import Basis, Loaded
from tracker_sync.second_pass.following_stamps import following_stamps
from tracker_sync.sending.delivery import refused


PHASE = "owners"
NOT_TRANSFERRED = "SYNC_OWNER_NOT_TRANSFERRED"
_AT_ONCE = 50

_log = logging.getLogger(__name__)


def run(after: AfterSlices) -> dict[str, Any]:
    """Transfer whom the destination has elsewhere, and return the counts of what it came to.

    An owner comes into being with the first enrollment, where that is, and no import moves
    it (tracker-api 7); so this comes after all enrollments.

    Raises:
        DamagedPackage: A staged file is not what was written.
        TransientError: The destination stopped answering.
    """
    lines: defaultdict[Basis, list[Entry]] = defaultdict(list)
    for loaded in after.loaded():
        lines[loaded.basis] += _Slice.of(after, loaded).lines()
    return after.finish(PHASE, lines)


@dataclass(frozen=True, slots=True)
class _Slice:
    """The owners of a slice's people.

    Attributes:
        after: The run.
        read_number: The number of the read they came with.
        owners: Those that came.
        known: What earlier runs came to with these people's.
        superseded: People who are known from a later read already.
        enrolled_anew: People whom this run enrolled: the owner that came of it is nobody's edit.
    """

    after: AfterSlices
    read_number: int
    owners: Sequence[Owner]
    known: Mapping[Ref, Known]
    superseded: frozenset[str]
    enrolled_anew: frozenset[str]

    @classmethod
    def of(cls, after: AfterSlices, loaded: Loaded) -> _Slice:
        owners: list[Owner] = []
        people: set[str] = set()
        for mapped in after.staged_tables(loaded, "tracked_entities", "enrollments", "owners"):
            people |= {*mapped.tables["tracked_entities"]["trackedEntity"].to_pylist()}
            owners += owners_in(mapped)
        known = known_owners(after.state, people, after.run)
        superseded, anew = after.superseded(loaded.piece), _enrolled_anew(after, loaded)
        return cls(after, loaded.basis.read_number, owners, known, superseded, anew)

    def lines(self) -> list[Entry]:
        """Transfer what differs, and return the line of each owner."""
        there = read_owners(
            self.after.destination.client, {owner.tracked_entity for owner in self.owners}
        )
        lines: list[Entry] = []
        to_transfer: list[tuple[Owner, Entry]] = []
        for owner in self.owners:
            line = self._line(owner, there.get(owner.ref) or self._born(owner))
            if line and line.outcome is Outcome.MISSING:
                to_transfer.append((owner, line))
            elif line:
                lines.append(line)
        return [*lines, *self._transferred(to_transfer), *self._closed()]

    def _line(self, owner: Owner, there: str | None) -> Entry | None:
        """Return the line of an owner, *missing* if it is to be transferred.

        None where nobody has to own: the enrollment is deleted at the source, and was never
        at the destination.
        """
        known = self.known.get(owner.ref)
        entry = Entry(owner.ref, owner.tracked_entity, Outcome.UNCHANGED)
        entry = entry.but(content_hash=owner.content_hash)
        if known and known.refused:
            entry = entry.but(known=True, code=known.refused)
        if self._is_old(owner, known):
            return entry.but(outcome=Outcome.SUPERSEDED, code=None, known=False)
        if owner.code:
            return refused(entry, owner.code)
        if there is None:
            return refused(entry, PARENT_REFUSED) if owner.enrolled else None
        if there == owner.org_unit:
            return entry.but(code=None, known=False)
        return self._of_another(owner, known, there, entry)

    def _of_another(self, owner: Owner, known: Known | None, there: str, entry: Entry) -> Entry:
        """Return the line of an owner that the destination has otherwise."""
        if self._is_kept(owner, known, there):
            return self._kept(entry, known)
        if known and known.refused and self._would_be_refused_again(known, entry):
            return refused(entry, known.refused)
        return entry.but(outcome=Outcome.MISSING, action="changed", sent=True)

    def _born(self, owner: Owner) -> str | None:
        """Return the owner that the destination would have after a dry run's enrollments."""
        return owner.born if self.after.destination.dry_run else None

    def _is_kept(self, owner: Owner, known: Known | None, there: str) -> bool:
        overwrites = self.after.route.destination_edits == "overwrite"
        anew = owner.tracked_entity in self.enrolled_anew
        return not (overwrites or anew) and is_edited(known, there)

    def _kept(self, entry: Entry, known: Known | None) -> Entry:
        """Return the line of an owner who was changed there; it keeps the hash of ours."""
        keeps = self.after.route.destination_edits == "keep"
        return entry.but(
            outcome=Outcome.HELD if keeps else Outcome.REFUSED,
            code=EDITED_THERE,
            known=bool(known and known.refused == EDITED_THERE),
            content_hash=known.content_hash if known else None,
        )

    def _is_old(self, owner: Owner, known: Known | None) -> bool:
        later = known is not None and known.read_number > self.read_number
        return later or owner.tracked_entity in self.superseded

    def _would_be_refused_again(self, known: Known, entry: Entry) -> bool:
        same = (known.content_hash, known.model_hash) == (
            entry.content_hash,
            self.after.model.hash,
        )
        return same and not can_heal(known.refused or "")

    def _transferred(self, to_transfer: Sequence[tuple[Owner, Entry]]) -> Iterator[Entry]:
        if self.after.destination.dry_run:
            yield from (would_be(entry, "changed") for _, entry in to_transfer)
            return
        for start in range(0, len(to_transfer), _AT_ONCE):
            some = to_transfer[start : start + _AT_ONCE]
            people = {owner.tracked_entity for owner, _ in some}
            with following_stamps(self.after, PHASE, people):
                yield from [self._transfer(owner, entry) for owner, entry in some]

    def _transfer(self, owner: Owner, entry: Entry) -> Entry:
        return self.after.destination.again("transferring", lambda: self._try(owner, entry))

    def _try(self, owner: Owner, entry: Entry) -> Entry:
        self.after.destination.before_write()
        client, org_unit = self.after.destination.client, owner.org_unit or ""
        try:
            transfer_owner(client, owner.tracked_entity, owner.program, org_unit)
        except PermanentError as error:
            _log.warning("%s", error)
            return refused(entry, NOT_TRANSFERRED)
        return entry.but(outcome=Outcome.STORED, code=None, known=False)

    def _closed(self) -> Iterator[Entry]:
        """Yield a line for each open refusal that the source has no owner for any more."""
        came = {owner.ref for owner in self.owners}
        for ref, known in self.known.items():
            if known.refused and ref not in came and known.read_number <= self.read_number:
                yield Entry(ref, ref.uid.partition(":")[0], Outcome.UNCHANGED)


def _enrolled_anew(after: AfterSlices, loaded: Loaded) -> frozenset[str]:
    path = after.workspace.ledger(loaded.piece.slice)
    lines = read_lines(path, "kind", "action", "tracked_entity")
    enrolled = pc.equal(lines["kind"], "ENROLLMENT")
    rows = lines.filter(pc.and_(enrolled, pc.equal(lines["action"], "created")))
    return frozenset(rows["tracked_entity"].to_pylist())
