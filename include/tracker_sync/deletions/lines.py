"""The lines of deletions: what the ledger says of each, sent or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dhis2_api.importer import Ref
from tracker_sync.deletions.judging import ALIVE_AGAIN, Judged
from tracker_sync.deletions.standing import Standing
from tracker_sync.deletions.waiting import HELD, Waiting
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.plan import Known
from tracker_sync.relationships.hanging import Link


NOT_DONE = "SYNC_DELETE_NOT_DONE"


def held_line(
    ref: Ref, one: Waiting, known: Known | None = None, link: Link | None = None
) -> Entry:
    """Return the line of a deletion that waits.

    Args:
        ref: The object.
        one: What was seen of it.
        known: What other runs know of it.
        link: The same, if it is a relationship.
    """
    held = Entry(ref, one.tracked_entity, Outcome.HELD, code=HELD, updated_at=one.updated_at)
    if link and link.there != ref.uid:
        held = held.but(destination_uid=link.there)
    if known and known.refused:
        return held.but(code=known.refused, known=True)
    return held


@dataclass(frozen=True, slots=True)
class Before:
    """What lines of deletions rest on beside the two servers.

    Attributes:
        asked: What this run asked the destination to delete before, in a try that was killed.
        known: What other runs know of the objects.
        refusing: Codes for which an object is refused, where others are held.
    """

    asked: Collection[Ref]
    known: Mapping[Ref, Known]
    refusing: Collection[str] = (ALIVE_AGAIN,)


def decided(judged: Judged, before: Before) -> dict[Ref, Entry]:
    """Return the lines of what is not sent now."""
    lines = [_gone(held_line(*item), before.asked) for item in judged.gone.items()]
    for ref, (one, code) in judged.stays.items():
        line = held_line(ref, one).but(code=code)
        if code in before.refusing:
            known = before.known.get(ref)
            line = line.but(outcome=Outcome.REFUSED, known=bool(known and known.refused == code))
        lines.append(line)
    return {line.ref: line for line in lines}


def _gone(line: Entry, asked: Collection[Ref]) -> Entry:
    """Return the line of what the destination lacks: this run's own work, if it asked for it."""
    if line.ref in asked:
        return line.but(outcome=Outcome.STORED, action="deleted", code=None, sent=True)
    return line.but(outcome=Outcome.UNCHANGED, code=None)


def as_it_is(line: Entry, now: Standing, links: Mapping[Ref, Link]) -> Entry:
    """Return the line of what was to be deleted, as the destination has it now.

    What was refused may have gone with what it belongs to. A relationship is not looked for:
    it went if the destination says so, or with one of its ends.
    """
    if not line.sent:
        return line
    link, found = links.get(line.ref), now.get(line.ref)
    if link:
        gone = line.outcome is Outcome.STORED or any(_is_buried(now, end) for end in link.ends)
    else:
        gone = found is None or found.deleted
    if gone:
        return line.but(outcome=Outcome.STORED, action="deleted", code=None, known=False)
    if line.outcome is Outcome.REFUSED:
        return line
    return line.but(outcome=Outcome.MISSING, action=None, code=NOT_DONE)


def _is_buried(now: Standing, ref: Ref) -> bool:
    found = now.get(ref)
    return found is not None and found.deleted
