"""The held notes: which notes the destination has of people and events, and where others fit.

Before 2.42 a note goes within its object, and every field that is left out of that is
reset: an omitted status opens again what was completed (tracker-api 4). So there the
object is read with all that DHIS2 takes back, and sent as it is but for the note.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dhis2_api.client import Dhis2Client
from dhis2_api.importer import Ref
from dhis2_api.reading import read_by_uid
from tracker_sync.staging.levels import Row, level_of


_STAMPS = "updatedAt,deleted"
_ALL = "orgUnit,status,occurredAt,geometry,createdAtClient,updatedAtClient,storedBy"
# Values are kept where they are left out, but DHIS2 wants the compulsory ones of an event in
# every request (recordings: refused-E1303-compulsory-missing).
_EVENT_ALL = (
    f"program,programStage,scheduledAt,attributeOptionCombo,assignedUser[username],{_ALL},"
    "dataValues[dataElement,value,providedElsewhere]"
)
_ENROLLMENT_ALL = f"program,enrolledAt,followUp,{_ALL}"
_NOT_SENT = frozenset({"updatedAt", "deleted", "notes", "events", "attributes"})


@dataclass(frozen=True, slots=True)
class Held:
    """What the destination has of one object.

    Attributes:
        updated_at: Its stamp, without zone.
        notes: The UIDs of its notes.
        payload: All of it that DHIS2 takes, flat, as it stands; nothing where a note can be
            added without it.
    """

    updated_at: datetime
    notes: frozenset[str] = frozenset()
    payload: Row = field(default_factory=dict, repr=False)


def read_held(client: Dhis2Client, uids: Sequence[str], program: str) -> dict[Ref, Held]:
    """Return what lives at the destination: people with all below them, or lone events.

    Args:
        client: The destination.
        uids: Which people; or which events of *program*.
        program: A program without registration; empty for people.
    """
    event, enrollment = _fields(client)
    if program:
        rows = read_by_uid(client, "events", uids, event, program=program)
        return dict(held for row in rows for held in _held(row, {}))
    fields = f"trackedEntity,{_STAMPS},enrollments[{enrollment},events[{event}]]"
    people = read_by_uid(client, "trackedEntities", uids, fields)
    return dict(held for row in people for held in _held(row, {}))


def _fields(client: Dhis2Client) -> tuple[str, str]:
    event, enrollment = (f"{kind},{_STAMPS},notes[note]" for kind in ("event", "enrollment"))
    if client.dialect.notes:
        return event, enrollment
    return f"{event},{_EVENT_ALL}", f"{enrollment},{_ENROLLMENT_ALL}"


def _held(row: Row, above: Row) -> Iterator[tuple[Ref, Held]]:
    """Yield an object, and all below it, unless it was deleted."""
    if row.get("deleted"):
        return
    key, ref, below = level_of(row)
    stamp = datetime.fromisoformat(row["updatedAt"])
    notes = frozenset(note["note"] for note in row.get("notes") or ())
    yield ref, Held(stamp, notes, _payload(row, above))
    for child in below:
        yield from _held(child, {key: ref.uid})


def _payload(row: Row, above: Row) -> Row:
    if "status" not in row:
        return {}
    payload = {name: value for name, value in row.items() if name not in _NOT_SENT}
    if not (payload.get("assignedUser") or {}).get("username"):
        payload.pop("assignedUser", None)  # 2.40 has an empty one for nobody
    return {**payload, **above}
