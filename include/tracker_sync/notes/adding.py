"""Adding notes: those that the destination lacks get there, each once, whatever was answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from dhis2_api.errors import TransientError
from dhis2_api.importer import Ref
from tracker_sync.loading.batch import Destination
from tracker_sync.notes.held import Held, read_held
from tracker_sync.notes.sending import Addition, send_notes
from tracker_sync.staging.notes import Note


_log = logging.getLogger(__name__)


def add_notes(destination: Destination, notes: Sequence[Note], wanted: Sequence[Note]) -> Addition:
    """Look which of *notes* the destination has, and add those of *wanted* that it lacks.

    What was answered does not make a note stored: the destination is read again after the
    last write, so that a note whose answer was lost is neither lost nor sent twice. In a dry
    run nothing is added.

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
            lacking = addition.lacking(wanted)
            if not lacking or destination.dry_run:
                return addition
            send_notes(destination, lacking, addition)
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
