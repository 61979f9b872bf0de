"""Adding notes: those that the destination lacks get there, each once, whatever was answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, TransientError
from dhis2_api.importer import Ref
from dhis2_api.notes import add_note
from tracker_sync.delivery import deliver
from tracker_sync.difference import as_text
from tracker_sync.held_notes import Held, read_held
from tracker_sync.loading import Destination
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.plan import Planned
from tracker_sync.staged_notes import Note


NOTE_REFUSED = "SYNC_NOTE_REFUSED"
_PLURAL = {"ENROLLMENT": "enrollments", "EVENT": "events"}
_AT_ONCE = 100  # objects in one import request

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Addition:
    """What a batch of notes came to.

    Attributes:
        before: What the destination had of the notes' people or events.
        held: What it has of them after the last write.
        refused: Note -> why it was refused, though it may be there (`has`).
        sent: The notes that were in a request.
        taken: Those of them that the destination called stored.
    """

    before: Mapping[Ref, Held] = field(default_factory=dict)
    held: Mapping[Ref, Held] = field(default_factory=dict)
    refused: dict[Ref, str] = field(default_factory=dict)
    sent: set[Ref] = field(default_factory=set)
    taken: set[Ref] = field(default_factory=set)

    def has(self, note: Note) -> bool:
        """Whether the destination has a note."""
        return note.holder in self.held and note.ref.uid in self.held[note.holder].notes

    def lacking(self, wanted: Iterable[Note]) -> list[Note]:
        """Return which notes are to be sent: whose object is there, and which weren't refused."""
        lacking = [n for n in wanted if n.holder in self.held and not self.has(n)]
        # Another object's note has that UID: it is dropped with a warning (tracker-api 4).
        self.refused |= {n.ref: NOTE_REFUSED for n in lacking if n.ref in self.taken}
        return [note for note in lacking if note.ref not in self.refused]


def add_notes(destination: Destination, notes: Sequence[Note], wanted: Sequence[Note]) -> Addition:
    """Look which of *notes* the destination has, and add those of *wanted* that it lacks.

    What was answered does not make a note stored: the destination is read again after the
    last write, so that a note whose answer was lost is neither lost nor sent twice.

    Args:
        destination: The server that is written to.
        notes: Notes of some people, or of some events of one program without registration.
        wanted: Those among them that may be sent.

    Raises:
        TransientError: The destination did not answer in any round.
    """
    addition = Addition()
    for pause in (*destination.pauses, None):
        try:
            addition.held = _read(destination, notes)
            addition.before = addition.before or addition.held
            if not _sent(destination, addition.lacking(wanted), addition):
                return addition
        except TransientError as error:
            if pause is None:
                raise
            _log.warning("outcome unknown, reading back in %g s: %s", pause, error)
            time.sleep(pause)
    addition.held = _read(destination, notes)
    return addition


def _read(destination: Destination, notes: Sequence[Note]) -> dict[Ref, Held]:
    roots: dict[str, set[str]] = {}
    for note in notes:
        roots.setdefault(note.program, set()).add(note.tracked_entity or note.holder.uid)
    held: dict[Ref, Held] = {}
    for program, uids in roots.items():
        held |= read_held(destination.client, sorted(uids), program)
    return held


def _sent(destination: Destination, notes: Sequence[Note], addition: Addition) -> bool:
    """Send notes; return whether there was any."""
    if destination.client.dialect.notes:
        for note in notes:
            destination.before_write()
            _send_alone(destination.client, note, addition)
    else:
        holders = sorted({note.holder for note in notes})
        for start in range(0, len(holders), _AT_ONCE):
            _send_within(destination, holders[start : start + _AT_ONCE], notes, addition)
    return bool(notes)


def _send_alone(client: Dhis2Client, note: Note, addition: Addition) -> None:
    addition.sent.add(note.ref)
    try:
        kind: Any = _PLURAL[note.holder.kind]
        add_note(client, kind, note.holder.uid, note.ref.uid, note.text)
    except RequestRefused as refusal:
        _log.warning("NOTE %s: %s", note.ref.uid, refusal)
        addition.refused[note.ref] = NOTE_REFUSED
    else:
        addition.taken.add(note.ref)


def _send_within(
    there: Destination, holders: Sequence[Ref], notes: Sequence[Note], addition: Addition
) -> None:
    """Send objects as the destination has them, with the notes that they lack."""
    theirs = {ref: [note for note in notes if note.holder == ref] for ref in holders}
    planned = [_with_notes(ref, addition.held[ref], theirs[ref]) for ref in holders]
    addition.sent |= {note.ref for ref in holders for note in theirs[ref]}
    for line in deliver(there.client, planned, there.before_write):
        refs = [note.ref for note in theirs[line.ref]]
        if line.outcome is Outcome.STORED:
            addition.taken |= {*refs}
        elif line.outcome is Outcome.REFUSED:
            addition.refused |= dict.fromkeys(refs, line.code or NOTE_REFUSED)


def _with_notes(ref: Ref, held: Held, notes: Sequence[Note]) -> Planned:
    sent = [{"note": note.ref.uid, "value": note.text} for note in notes]
    entry = Entry(ref, notes[0].tracked_entity, Outcome.MISSING, sent=True)
    return Planned(entry, as_text({**held.payload, "notes": sent}))
