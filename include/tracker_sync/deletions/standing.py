"""The standing: what of people, or of lone events, lives on a server, and what is deleted there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from dhis2_api.client import Dhis2Client
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref
from tracker_sync.reading.people import Wanted, read_wanted
from tracker_sync.staging.levels import Row, level_of


_OWN = [("updatedAt", pa.timestamp("ms")), ("deleted", pa.bool_())]
_EVENT = pa.struct([("event", pa.string()), *_OWN])
_ENROLLMENT = pa.struct([("enrollment", pa.string()), *_OWN, ("events", pa.list_(_EVENT))])
_PERSON = pa.struct([("trackedEntity", pa.string()), *_OWN, ("enrollments", pa.list_(_ENROLLMENT))])
_EVENT_FIELDS = "event,updatedAt,deleted"
_PERSON_FIELDS = (
    "trackedEntity,updatedAt,deleted,"
    f"enrollments[enrollment,updatedAt,deleted,events[{_EVENT_FIELDS}]]"
)


@dataclass(frozen=True, slots=True)
class Found:
    """One object as a server has it.

    Attributes:
        parent: What it belongs to.
        updated_at: The server's stamp, without zone.
        deleted: Whether it, or what it stands below, is deleted.
    """

    parent: Ref | None
    updated_at: datetime
    deleted: bool


Standing = Mapping[Ref, Found]


def read_standing(client: Dhis2Client, roots: Mapping[str, Collection[str]]) -> dict[Ref, Found]:
    """Return every object that a server has of *roots*, of whatever program.

    What the server does not have, or does not show, is not there.

    Args:
        client: The server.
        roots: The UIDs of people under the empty text, those of lone events by their program.
    """
    found: dict[Ref, Found] = {}
    for program, uids in roots.items():
        for batch in read_wanted(client, _wanted(program), sorted(uids), MOST_UIDS):
            for row in batch.rows.to_pylist():
                found |= _with_all_below(row, None, below_deleted=False)
    return found


def _wanted(program: str) -> Wanted:
    if program:
        return Wanted("events", _EVENT_FIELDS, _EVENT, program)
    return Wanted("trackedEntities", _PERSON_FIELDS, _PERSON)


def _with_all_below(
    row: Row, parent: Ref | None, *, below_deleted: bool
) -> Iterator[tuple[Ref, Found]]:
    _, ref, below = level_of(row)
    deleted = bool(row["deleted"]) or below_deleted
    yield ref, Found(parent, row["updatedAt"], deleted)
    for child in below:
        yield from _with_all_below(child, ref, below_deleted=deleted)
