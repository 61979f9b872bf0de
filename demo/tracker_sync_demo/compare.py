"""The comparison: do both servers hold the same records, asked through their APIs?

It shares nothing with the sync it checks, but for the client.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dhis2_api.client import Dhis2Client


_SHARED = "createdAtClient,updatedAtClient,geometry"
_FIELDS = (
    f"trackedEntity,trackedEntityType,orgUnit,inactive,potentialDuplicate,{_SHARED},"
    "attributes[attribute,value],"
    "enrollments[enrollment,program,orgUnit,status,enrolledAt,occurredAt,completedAt,followUp,"
    f"{_SHARED},attributes[attribute,value],"
    "events[event,program,programStage,orgUnit,status,occurredAt,scheduledAt,completedAt,"
    f"{_SHARED},attributeOptionCombo,assignedUser[username],"
    "dataValues[dataElement,value,providedElsewhere]]]"
)
_UIDS = {"trackedEntity", "enrollment", "event", "attribute", "dataElement"}
_PAGE = 200

Json = dict[str, Any]
Record = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the comparison of two servers found.

    Attributes:
        records: How many records the source holds.
        differing: Records, as (kind, UID), that differ or that one side lacks.
    """

    records: int
    differing: frozenset[Record]


def compare(source: Dhis2Client, destination: Dhis2Client, programs: Iterable[str]) -> Comparison:
    """Compare all people of *programs*, with all below them, record by record."""
    wanted = list(programs)
    ours, theirs = _records(source, wanted), _records(destination, wanted)
    keys = ours.keys() | theirs.keys()
    return Comparison(len(ours), frozenset(key for key in keys if ours.get(key) != theirs.get(key)))


def _records(client: Dhis2Client, programs: list[str]) -> dict[Record, Json]:
    records: dict[Record, Json] = {}
    for program in programs:
        for person in _people(client, program):
            for enrollment in person.pop("enrollments"):
                for event in enrollment.pop("events"):
                    records["event", event["event"]] = _sorted(event)
                records["enrollment", enrollment["enrollment"]] = _sorted(enrollment)
            # With `program`, a person has that program's attributes besides the type's.
            records[f"person in {program}", person["trackedEntity"]] = _sorted(person)
    return records


def _people(client: Dhis2Client, program: str) -> Iterable[Json]:
    page = 1
    while page:
        answer = client.get(
            "/api/tracker/trackedEntities",
            {
                "program": program,
                "orgUnitMode": "ACCESSIBLE",
                "fields": _FIELDS,
                "order": "createdAt:asc",
                "pageSize": _PAGE,
                "page": page,
            },
        )
        yield from answer["trackedEntities"]
        page = page + 1 if "nextPage" in answer["pager"] else 0


def _sorted(record: Json) -> Json:
    """Return a record whose lists are in one order on both servers."""
    return {
        key: sorted(value, key=_uid) if isinstance(value, list) else value
        for key, value in record.items()
    }


def _uid(item: Json) -> str:
    return next(str(value) for key, value in item.items() if key in _UIDS)
