"""The comparison: do both servers hold the same records, asked through their APIs?

It shares nothing with the sync it checks, but for the client.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.export import Listing
from dhis2_api.fields import Listed
from dhis2_api.reading import read_list


_SHARED = "createdAtClient,updatedAtClient,geometry"
_EVENT_FIELDS = (
    "event,program,programStage,orgUnit,status,occurredAt,scheduledAt,completedAt,"
    f"{_SHARED},attributeOptionCombo,assignedUser[username],"
    "dataValues[dataElement,value,providedElsewhere]"
)
_PERSON_FIELDS = (
    f"trackedEntity,trackedEntityType,orgUnit,inactive,potentialDuplicate,{_SHARED},"
    "attributes[attribute,value],"
    "enrollments[enrollment,program,orgUnit,status,enrolledAt,occurredAt,completedAt,followUp,"
    f"{_SHARED},attributes[attribute,value],events[{_EVENT_FIELDS}]]"
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
    """Compare all people of *programs*, with all below them, and all events without registration.

    Record by record: each of them once, whatever program it is listed in.
    """
    wanted = list(programs)
    ours, theirs = _records(source, wanted), _records(destination, wanted)
    keys = ours.keys() | theirs.keys()
    return Comparison(len(ours), frozenset(key for key in keys if ours.get(key) != theirs.get(key)))


def _records(client: Dhis2Client, programs: list[str]) -> dict[Record, Json]:
    records: dict[Record, Json] = {}
    alone = _without_registration(client)
    for program in programs:
        if program in alone:
            events = _rows(client, "events", program, _EVENT_FIELDS)
            records |= {("event", event["event"]): _sorted(event) for event in events}
        else:
            for person in _rows(client, "trackedEntities", program, _PERSON_FIELDS):
                records |= _of_person(program, person)
    return records


def _of_person(program: str, person: Json) -> dict[Record, Json]:
    # With `program`, a person has that program's attributes besides the type's.
    records = {(f"person in {program}", person["trackedEntity"]): person}
    for enrollment in person.pop("enrollments"):
        records["enrollment", enrollment["enrollment"]] = enrollment
        records |= {("event", event["event"]): event for event in enrollment.pop("events")}
    return {key: _sorted(record) for key, record in records.items()}


def _without_registration(client: Dhis2Client) -> set[str]:
    answer = client.get("/api/programs", {"fields": "id,programType", "paging": "false"})
    programs = answer["programs"]
    return {item["id"] for item in programs if item["programType"] == "WITHOUT_REGISTRATION"}


def _rows(client: Dhis2Client, kind: Listed, program: str, fields: str) -> Iterable[Json]:
    everywhere = Listing(
        kind, program, (), None, _PAGE, mode="ACCESSIBLE", fields=fields, living=True
    )
    return read_list(client, everywhere, ZoneInfo("UTC"))


def _sorted(record: Json) -> Json:
    """Return a record whose lists are in one order on both servers."""
    return {
        key: sorted(value, key=_uid) if isinstance(value, list) else value
        for key, value in record.items()
    }


def _uid(item: Json) -> str:
    return next(str(value) for key, value in item.items() if key in _UIDS)
