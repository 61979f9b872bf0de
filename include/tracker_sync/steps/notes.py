"""The step `notes`: add the notes that the destination lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dhis2_api.importer import Ref
from tracker_sync.bundling.from_tables import NUL
from tracker_sync.notes.adding import add_notes
from tracker_sync.notes.sending import Addition
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.plan import EDITED_THERE, PARENT_REFUSED, Known
from tracker_sync.planning.would_be import DRY_RUN, would_be
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.loaded_slices import Basis, Loaded
from tracker_sync.sending.delivery import NOT_IN_REPORT
from tracker_sync.staging.notes import Note, staged_notes
from tracker_sync.staging.package import Package
from tracker_sync.state.restamping import restamp
from tracker_sync.steps.noted_lines import lines_of_noted


_Lines = Mapping[Ref, Entry]
_log = logging.getLogger(__name__)


def run(after: AfterSlices) -> dict[str, Any]:
    """Add each note that was read and that the destination lacks; return the counts.

    A note goes to what this run has stored or found unchanged. It is never changed or
    deleted, and those that only the destination has stay (tracker-api 4).

    Raises:
        TransientError: The destination stopped answering; a second try sends nothing twice.
    """
    lines: dict[Basis, list[Entry]] = {}
    for loaded in after.loaded():
        ledger = lines_of_noted(after, loaded)
        for notes in _batches(loaded, ledger):
            batch = _Batch(after, loaded, ledger, notes)
            lines.setdefault(loaded.basis, []).extend(batch.come_to())
    return after.finish("notes", lines)


def _batches(loaded: Loaded, ledger: _Lines) -> Iterator[list[Note]]:
    """Yield the notes of some people or events at a time; not of what is deleted or dropped."""
    program = _program(loaded.bundles) if loaded.piece.program else ""
    for tables in loaded.staged.row_groups("notes"):
        notes = staged_notes(tables, program)
        living = [note for note in notes if _lives(ledger.get(note.holder))]
        if living:
            yield living


def _program(bundles: Package) -> str:
    """Return what the events of a slice are called at the destination; all are of one program."""
    programs = bundles.columns("bundles", "program")["program"].unique().to_pylist()
    return next((program for program in programs if program), "")


def _lives(line: Entry | None) -> bool:
    """Whether an object may have notes; what was edited at the destination and is kept may."""
    if line is None or line.action == "deleted":
        return False
    return line.outcome is not Outcome.HELD or line.code in {EDITED_THERE, DRY_RUN}


@dataclass(frozen=True, slots=True)
class _Batch:
    after: AfterSlices
    loaded: Loaded
    ledger: _Lines
    notes: Sequence[Note]

    def come_to(self) -> list[Entry]:
        """Add what lacks, and return the line of each note."""
        added = add_notes(self.after.destination, self.notes, [*filter(self._may_go, self.notes)])
        self._restamp(added)
        known = self._known()
        lines = [self._line(note, added, known.get(note.ref)) for note in self.notes]
        _log.info("%s notes compared, %s sent", len(lines), len(added.sent))
        return lines

    def _restamp(self, added: Addition) -> None:
        """Remember the stamps that moved because a note went within its object (2.40, 2.41)."""
        moved = {
            ref: (added.before[ref].updated_at, held.updated_at)
            for ref, held in added.held.items()
            if ref in added.before and added.before[ref].updated_at != held.updated_at
        }
        if moved and added.sent:
            restamp(self.after.state, "notes", moved)

    def _may_go(self, note: Note) -> bool:
        stored = self.ledger[note.holder].outcome not in {Outcome.REFUSED, Outcome.MISSING}
        return stored and "\0" not in note.text

    def _line(self, note: Note, added: Addition, known: Known | None) -> Entry:
        line = _compared(note, sent=note.ref in added.sent)
        if added.has(note):
            stored = line.but(outcome=Outcome.STORED, action="created")
            return stored if line.sent else line
        code = self._why(note, added)
        if code is None and self.after.destination.dry_run:
            return would_be(line, "created")
        if code is None:
            return line.but(outcome=Outcome.MISSING, code=NOT_IN_REPORT)
        met = known is not None and known.refused == code
        return line.but(outcome=Outcome.REFUSED, code=code, known=met)

    def _why(self, note: Note, added: Addition) -> str | None:
        """Return why a note is not there, if it is known."""
        if "\0" in note.text:
            return NUL
        if note.ref in added.refused:
            return added.refused[note.ref]
        there = note.holder in added.held or self.ledger[note.holder].code == DRY_RUN
        return None if there and self._may_go(note) else PARENT_REFUSED

    def _known(self) -> Mapping[Ref, Known]:
        """Return what earlier runs met."""
        people = {note.tracked_entity for note in self.notes if note.tracked_entity}
        events = {note.holder.uid for note in self.notes if not note.tracked_entity}
        return self.after.known(people, events)


def _compared(note: Note, *, sent: bool) -> Entry:
    return Entry(
        note.ref,
        note.tracked_entity,
        Outcome.UNCHANGED,
        sent=sent,
        updated_at=note.stored_at,
        lone_event=None if note.tracked_entity else note.holder.uid,
    )
