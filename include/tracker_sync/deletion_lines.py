"""The lines of deletions: what the ledger says of each, sent or not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dhis2_api.importer import Ref
from tracker_sync.judging import ALIVE_AGAIN, Judged
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.plan import Known
from tracker_sync.standing import Found
from tracker_sync.waiting import HELD, Waiting


NOT_DONE = "SYNC_DELETE_NOT_DONE"


def held_line(ref: Ref, one: Waiting, known: Known | None = None) -> Entry:
    """Return the line of a deletion that waits; *known* is what other runs know of it."""
    held = Entry(ref, one.tracked_entity, Outcome.HELD, code=HELD, updated_at=one.updated_at)
    if known and known.refused:
        return replace(held, code=known.refused, known=True)
    return held


def decided(judged: Judged, asked: Collection[Ref]) -> dict[Ref, Entry]:
    """Return the lines of what is not sent now.

    Args:
        judged: What was found out.
        asked: What this run asked the destination to delete before, in a try that was killed.
    """
    lines = [_gone(held_line(*item), asked) for item in judged.gone.items()]
    for ref, (one, code) in judged.stays.items():
        outcome = Outcome.REFUSED if code == ALIVE_AGAIN else Outcome.HELD
        lines.append(replace(held_line(ref, one), outcome=outcome, code=code))
    return {line.ref: line for line in lines}


def _gone(line: Entry, asked: Collection[Ref]) -> Entry:
    """Return the line of what the destination lacks: this run's own work, if it asked for it."""
    if line.ref in asked:
        return replace(line, outcome=Outcome.STORED, action="deleted", code=None, sent=True)
    return replace(line, outcome=Outcome.UNCHANGED, code=None)


def as_it_is(line: Entry, found: Found | None) -> Entry:
    """Return the line of what was to be deleted, as the destination has it now.

    What was refused may have gone with what it belongs to.
    """
    if not line.sent:
        return line
    if found is None or found.deleted:
        return replace(line, outcome=Outcome.STORED, action="deleted", code=None, known=False)
    if line.outcome is Outcome.STORED:
        return replace(line, outcome=Outcome.MISSING, action=None, code=NOT_DONE)
    return line
