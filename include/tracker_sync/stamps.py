"""The stamps: what a server holds of trees, and when it last wrote each object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from dhis2_api.client import Dhis2Client
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref
from tracker_sync.people import Wanted, read_wanted
from tracker_sync.trees import Kind, Tree, by_program


_EVENT = pa.struct([("event", pa.string()), ("updatedAt", pa.timestamp("ms"))])
_ENROLLMENT = pa.struct(
    [("enrollment", pa.string()), ("updatedAt", pa.timestamp("ms")), ("events", pa.list_(_EVENT))]
)
_PERSON = pa.struct(
    [
        ("trackedEntity", pa.string()),
        ("updatedAt", pa.timestamp("ms")),
        ("enrollments", pa.list_(_ENROLLMENT)),
    ]
)
_EVENT_FIELDS = "event,updatedAt"
_PERSON_FIELDS = (
    f"trackedEntity,updatedAt,enrollments[enrollment,updatedAt,events[{_EVENT_FIELDS}]]"
)
# The key of an object's UID -> its kind, and where what stands below it is.
_LEVELS: Mapping[str, tuple[Kind, str]] = {
    "trackedEntity": ("TRACKED_ENTITY", "enrollments"),
    "enrollment": ("ENROLLMENT", "events"),
    "event": ("EVENT", ""),
}


def read_stamps(client: Dhis2Client, trees: Iterable[Tree]) -> dict[Ref, datetime]:
    """Return the `updatedAt`, without zone, of every object of *trees* that the server has.

    Deleted ones are there too, with the stamp of their deletion.
    """
    found: dict[Ref, datetime] = {}
    for program, uids in by_program(trees).items():
        for batch in read_wanted(client, _wanted(program), uids, MOST_UIDS):
            for row in batch.rows.to_pylist():
                found |= _stamps(row)
    return found


def _wanted(program: str) -> Wanted:
    if program:
        return Wanted("events", _EVENT_FIELDS, _EVENT, program)
    return Wanted("trackedEntities", _PERSON_FIELDS, _PERSON)


def _stamps(row: Mapping[str, Any]) -> Iterator[tuple[Ref, datetime]]:
    """Yield the stamps of an object and of all below it."""
    key = next(name for name in _LEVELS if name in row)
    kind, below = _LEVELS[key]
    yield Ref(kind, row[key]), row["updatedAt"]
    for child in row.get(below) or ():
        yield from _stamps(child)
