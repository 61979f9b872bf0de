"""The comparison: do both servers hold the same records, asked through their APIs?

It shares nothing with the sync it checks, but for the client.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.export import Listing
from dhis2_api.fields import RELATIONSHIP_FIELDS, Listed
from dhis2_api.files import digest_of
from dhis2_api.reading import read_list


_SHARED = f"createdAtClient,updatedAtClient,geometry,relationships[{RELATIONSHIP_FIELDS}]"
_NOTES = "notes[note,value]"
_EVENT_FIELDS = (
    "event,program,programStage,orgUnit,status,occurredAt,scheduledAt,completedAt,"
    f"{_SHARED},{_NOTES},attributeOptionCombo,assignedUser[username],"
    "dataValues[dataElement,value,providedElsewhere]"
)
_PERSON_FIELDS = (
    f"trackedEntity,trackedEntityType,orgUnit,inactive,potentialDuplicate,{_SHARED},"
    "attributes[attribute,value],programOwners[program,orgUnit],"
    "enrollments[enrollment,program,orgUnit,status,enrolledAt,occurredAt,completedAt,followUp,"
    f"{_SHARED},{_NOTES},attributes[attribute,value],events[{_EVENT_FIELDS}]]"
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
        equal: How many are equal, by kind.
    """

    records: int
    differing: frozenset[Record]
    equal: Mapping[str, int]


def compare(source: Dhis2Client, destination: Dhis2Client, programs: Iterable[str]) -> Comparison:
    """Compare all people of *programs*, with all below them, and all events without registration.

    Record by record: each of them once, whatever program it is listed in; with their notes,
    owners, relationships and the files that their values name.
    """
    wanted = list(programs)
    ours, theirs = _everything(source, wanted), _everything(destination, wanted)
    keys = ours.keys() | theirs.keys()
    differing = frozenset(key for key in keys if ours.get(key) != theirs.get(key))
    equal = {(kind.partition(" in ")[0], uid) for kind, uid in keys - differing}
    return Comparison(len(ours), differing, Counter(kind for kind, _ in equal))


def _everything(client: Dhis2Client, programs: list[str]) -> dict[Record, Json]:
    records = _records(client, programs)
    return records | dict(_files(client, records))


def _records(client: Dhis2Client, programs: list[str]) -> dict[Record, Json]:
    records: dict[Record, Json] = {}
    alone = _without_registration(client)
    for program in programs:
        if program in alone:
            events = _rows(client, "events", program, _EVENT_FIELDS)
            for event in events:
                records |= {**_beside(event), ("event", event["event"]): _sorted(event)}
        else:
            for person in _rows(client, "trackedEntities", program, _PERSON_FIELDS):
                records |= _of_person(program, person)
    return records


def _of_person(program: str, person: Json) -> dict[Record, Json]:
    # With `program`, a person has that program's attributes besides the type's.
    records = {(f"person in {program}", person["trackedEntity"]): person}
    enrollments = person.pop("enrollments")
    for owner in person.pop("programOwners"):
        if enrollments and owner["program"] == program:
            records["owner", f"{person['trackedEntity']}:{program}"] = owner
    for enrollment in enrollments:
        records["enrollment", enrollment["enrollment"]] = enrollment
        records |= {("event", event["event"]): event for event in enrollment.pop("events")}
    for record in [*records.values()]:
        records |= _beside(record)
    return {key: _sorted(record) for key, record in records.items()}


def _beside(record: Json) -> dict[Record, Json]:
    """Take notes and relationships out of a record, and return them as records of their own."""
    notes, links = record.pop("notes", ()), record.pop("relationships", ())
    found = {("note", note["note"]): note for note in notes}
    return found | {("relationship", _joins(link)): {} for link in links}


def _joins(link: Json) -> str:
    """Return the type and the ends of a relationship, which may have another UID there."""
    ends = sorted(uid for side in ("from", "to") for uid in _texts(link[side]))
    return " ".join([link["relationshipType"], *ends])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _files(client: Dhis2Client, records: Mapping[Record, Json]) -> Iterator[tuple[Record, Json]]:
    """Yield the files that values of records name: how long they are, and their MD5."""
    named = {*_of_files(client, "dataElements"), *_of_files(client, "trackedEntityAttributes")}
    values = [
        value
        for record in records.values()
        for value in (*record.get("attributes", ()), *record.get("dataValues", ()))
    ]
    uids = {each["value"] for each in values if not named.isdisjoint(map(str, each.values()))}
    for uid in sorted(uids):
        digest = digest_of(client, uid)
        yield ("file", uid), {"length": digest.length, "md5": digest.md5} if digest else {}


def _of_files(client: Dhis2Client, plural: str) -> Iterator[str]:
    answer = client.get(f"/api/{plural}", {"fields": "id,valueType", "paging": "false"})
    for item in answer[plural]:
        if item["valueType"] in {"FILE_RESOURCE", "IMAGE"}:
            yield item["id"]


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
