"""Sending notes: each by itself, or within its object where a server takes it no other way."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import Unauthorized
from dhis2_api.import_report import LISTS
from dhis2_api.importer import Ref
from dhis2_api.notes import add_note
from tracker_sync.loading.batch import Destination
from tracker_sync.notes.held import Held
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.difference import as_text
from tracker_sync.planning.plan import Planned
from tracker_sync.sending.delivery import deliver
from tracker_sync.sending.halving import OF_THE_WHOLE, code_at_fault
from tracker_sync.sending.writers import in_parallel
from tracker_sync.staging.notes import Note


NOTE_REFUSED = "SYNC_NOTE_REFUSED"
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


def send_notes(destination: Destination, notes: Sequence[Note], addition: Addition) -> None:
    """Send notes, and write down in *addition* what was answered.

    Raises:
        TransientError: The outcome is unknown.
    """
    if destination.client.dialect.notes:
        _send_each(destination, notes, addition)
    else:
        holders = sorted({note.holder for note in notes})
        for start in range(0, len(holders), _AT_ONCE):
            _send_within(destination, holders[start : start + _AT_ONCE], notes, addition)


def _send_each(there: Destination, notes: Sequence[Note], addition: Addition) -> None:
    """Send notes by themselves, as many at once as the route lets imports be under way."""

    def alone(lane: Destination, note: Note) -> None:
        lane.before_write()
        _send_alone(lane.client, note, addition)

    for _ in in_parallel(there, notes, alone):
        pass


def _send_alone(client: Dhis2Client, note: Note, addition: Addition) -> None:
    addition.sent.add(note.ref)
    try:
        kind: Any = LISTS[note.holder.kind]
        add_note(client, kind, note.holder.uid, note.ref.uid, note.text)
    except OF_THE_WHOLE as refusal:
        if isinstance(refusal, Unauthorized):
            code_at_fault(client, refusal)  # raises if the account may write nothing at all
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
    for line in deliver(there.client, planned, there.before_write, there.posting):
        refs = [note.ref for note in theirs[line.ref]]
        if line.outcome is Outcome.STORED:
            addition.taken |= {*refs}
        elif line.outcome is Outcome.REFUSED:
            addition.refused |= dict.fromkeys(refs, line.code or NOTE_REFUSED)


def _with_notes(ref: Ref, held: Held, notes: Sequence[Note]) -> Planned:
    sent = [{"note": note.ref.uid, "value": note.text} for note in notes]
    entry = Entry(ref, notes[0].tracked_entity, Outcome.MISSING, sent=True)
    return Planned(entry, as_text({**held.payload, "notes": sent}))
