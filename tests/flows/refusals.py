"""How each refusal that real servers were recorded with comes about in a run.

A case spoils one object so that the destination must refuse it: at the source as old servers
hold things, at the destination as metadata that lags behind, or as data that stands in the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.metadata.first_objects import ADMIN
from flows.people import (
    AWA,
    BINTA,
    BORN,
    FOLLOW_UP,
    LABORATORY,
    LAST_NAME,
    MBOUR,
    NATIONAL_ID,
    PHONE,
    REGIMEN,
    REPORT,
    RESULT,
    WEIGHT,
    contact,
    enrollment,
    enrollment_of,
    event_of,
    person,
    pregnancy,
    vaccination,
    visit,
)
from flows.world import Server, World
from servers import HIV, MATERNAL


Json = dict[str, Any]
Spoil = Callable[[World], None]

TREE, COURSE, MOTHERHOOD, VISIT, SECOND, LONE = (
    ("TRACKED_ENTITY", AWA),
    ("ENROLLMENT", enrollment_of(AWA)),
    ("ENROLLMENT", enrollment_of(AWA, "M")),
    ("EVENT", event_of(AWA)),
    ("EVENT", event_of(AWA, 2)),
    ("EVENT", "CaseEvent01"),
)
LINK = ("RELATIONSHIP", "ContactLnk1")
INITIATION, ROLE, SAINT_LOUIS = "nYjAPItoxo2", "userRoles", "hhZqjkb21gq"
OTHER = "OtherPers09"


@dataclass(frozen=True)
class Case:
    """A refusal, and how it comes about.

    Attributes:
        code: What the destination says; one of several where versions differ.
        of: The object it says it of.
        spoil: What makes it say so, before the run.
        first: Whether everybody was copied before.
        versions: The first and the last version it is said on, by their beginnings.
    """

    code: str
    of: tuple[str, str]
    spoil: Spoil
    first: bool = False
    versions: tuple[str, str] = ("2.40", "2.43")

    def is_said_on(self, version: str) -> bool:
        return self.versions[0] <= version[:4] <= self.versions[1]


def _attribute(uid: str, value: str) -> Spoil:
    statement = "INSERT OR REPLACE INTO attribute VALUES (?, ?, ?, ?, ?, 'admin')"
    stamp = "2026-01-01T00:00:00.000"
    return lambda world: world.source.sql(statement, AWA, uid, value, stamp, stamp)


def _at_source(kind: str, uid: str, column: str, value: Any) -> Spoil:
    statement = f"UPDATE {kind} SET {column} = ? WHERE uid = ?"  # noqa: S608 - our names
    return lambda world: world.source.sql(statement, value, uid)


def _value(event: str, element: str, value: str | None) -> Spoil:
    if value is None:
        change = "json_remove(data_values, ?)"
        given: tuple[str, ...] = (f"$.{element}",)
    else:
        change, given = "json_set(data_values, ?, ?)", (f"$.{element}.value", value)
    statement = f"UPDATE event SET data_values = {change} WHERE uid = ?"  # noqa: S608 - ours
    return lambda world: world.source.sql(statement, *given, event)


def _lacks(plural: str, uid: str) -> Spoil:
    return lambda world: world.destination.lose(plural, uid)


def _without(plural: str, uid: str, name: str, member: str) -> Spoil:
    """Take an item out of a list of the destination's metadata."""

    def spoil(world: World) -> None:
        kept = [item for item in world.destination.members(plural, uid, name) if _not(item, member)]
        world.destination.alter(plural, uid, **{name: kept})

    return spoil


def _not(item: Json, uid: str) -> bool:
    return uid not in {item.get("id"), *(of.get("id") for of in item.values() if type(of) is dict)}


def _there(**objects: list[Json]) -> Spoil:
    return lambda world: world.destination.write(**objects)


def _gone_there(**objects: list[Json]) -> Spoil:
    return lambda world: world.destination.remove(**objects)


def _source_writes(**objects: list[Json]) -> Spoil:
    return lambda world: world.source.write(**objects)


def _both(*spoils: Spoil) -> Spoil:
    def spoil(world: World) -> None:
        for each in spoils:
            each(world)

    return spoil


def _without_authorities(server: Server) -> None:
    for role in [*server.sandbox.metadata.all(ROLE)]:
        server.alter(ROLE, role["id"], authorities=[])


def _limited(world: World) -> None:
    _without_authorities(world.destination)


def _mandatory(attribute: str) -> Spoil:
    name = "programTrackedEntityAttributes"

    def spoil(world: World) -> None:
        items = world.destination.members("programs", HIV, name)
        changed = [item if _not(item, attribute) else item | {"mandatory": True} for item in items]
        world.destination.alter("programs", HIV, **{name: changed})

    return spoil


def _somebody_else(course: Json | None = None) -> Json:
    """Return a person that only the destination knows."""
    return person(OTHER, enrollments=[course or enrollment(OTHER)])


def _of_another_type(world: World) -> None:
    world.destination.sql("UPDATE entity SET type = 'AnotherTyp1' WHERE uid = ?", AWA)


def _known_here_alone(world: World) -> None:
    """Let an account be known at the source and not at the destination."""
    (admin,) = world.source.sandbox.metadata.all("users")
    agent = {**admin, "id": "AgentUser01", "username": "agent"}
    with world.source.sandbox.store.changing() as connection:
        world.source.sandbox.store.put(connection, "users", [agent])


def _completed_there(world: World) -> None:
    world.destination.sql("UPDATE event SET status = 'COMPLETED' WHERE uid = ?", event_of(AWA))


def _no_data_write(world: World) -> None:
    sharing: Json = {"public": "rwr-----", "owner": None, "users": {}, "userGroups": {}}
    world.destination.alter("programs", MATERNAL, sharing=sharing)


def _within_another_region(world: World) -> None:
    """Let the account reach one region, where the neighbours are and the person is not."""
    _limited(world)
    (admin,) = world.destination.sandbox.metadata.all("users")
    units = [{"id": SAINT_LOUIS}]
    scopes = ("organisationUnits", "teiSearchOrganisationUnits")
    world.destination.alter("users", admin["id"], **dict.fromkeys(scopes, units))


def _linked(world: World) -> None:
    world.source.write(relationships=[contact(LINK[1], AWA, BINTA)])


def _unlinked_there(world: World) -> None:
    """Let the destination delete a relationship that goes on at the source."""
    _linked(world)
    assert world.run().report["kinds"]["RELATIONSHIP"]["created"] == 1
    world.destination.remove(relationships=[{"relationship": LINK[1]}])
    _edited_person(world)


def _without_its_file(world: World) -> None:
    """Let a value name a file that nobody has."""
    checked = visit(number=2, programStage=LABORATORY, dataValues=[])
    world.source.write(events=[checked])
    value = {"value": "NoSuchFile1", "elsewhere": False, "user": ADMIN}
    value |= dict.fromkeys(("created_at", "updated_at"), "2026-01-01T00:00:00.000")
    text = json.dumps({REPORT: value})
    world.source.sql("UPDATE event SET data_values = ? WHERE uid = ?", text, checked["event"])


def _expiring(world: World) -> None:
    world.destination.alter("programs", HIV, expiryDays=1_500, expiryPeriodType="Daily")


_edited = _source_writes(events=[visit(occurredAt="2026-04-03T00:00:00.000")])
_edited_course = _source_writes(enrollments=[enrollment(followUp=False, events=[])])
_edited_person = _source_writes(trackedEntities=[person(geometry=None)])
_out_of_reach = _both(_edited_person, _within_another_region)

CASES = (
    Case("E1005", TREE, _at_source("entity", AWA, "type", "UnknownTyp1")),
    Case(
        "E1006",
        TREE,
        _both(_attribute(BORN, "1990-01-01"), _lacks("trackedEntityAttributes", BORN)),
    ),
    Case("E1007", TREE, _attribute(BORN, "32 March")),
    Case("E1077", TREE, _attribute(LAST_NAME, "x" * 1_300)),
    Case("E1125", TREE, _attribute("zzlC4ArMYGX", "Z")),
    Case(
        "E1049",
        TREE,
        _both(
            _at_source("entity", AWA, "org_unit", "gmXVQ4zs69l"),
            _lacks("organisationUnits", "gmXVQ4zs69l"),
        ),
    ),
    Case(
        "E1126",
        TREE,
        _both(_edited_person, _of_another_type),
        first=True,
    ),
    Case(
        "E1114",
        TREE,
        _both(_gone_there(trackedEntities=[{"trackedEntity": AWA}]), _edited_person),
        first=True,
    ),
    Case(
        "E1013",
        SECOND,
        _both(
            _source_writes(events=[visit(number=2, programStage=LABORATORY, dataValues=[])]),
            _lacks("programStages", LABORATORY),
        ),
    ),
    Case(
        "E1015",
        COURSE,
        _there(
            trackedEntities=[person(enrollments=[enrollment(enrollment="AnotherEnr1", events=[])])]
        ),
    ),
    Case(
        "E1016",
        ("ENROLLMENT", enrollment_of(AWA, "V")),
        _both(
            _source_writes(enrollments=[vaccination()]),
            _there(
                trackedEntities=[
                    person(enrollments=[vaccination(enrollment="AnotherEnr1", status="COMPLETED")])
                ]
            ),
        ),
    ),
    Case(
        "E1018",
        COURSE,
        lambda world: world.source.sql(
            "DELETE FROM attribute WHERE entity = ? AND attribute = ?", AWA, NATIONAL_ID
        ),
    ),
    Case("E1019", COURSE, _without("programs", HIV, "programTrackedEntityAttributes", PHONE)),
    Case("E1025", COURSE, _at_source("enrollment", enrollment_of(AWA), "enrolled_at", "")),
    Case(
        "E1041",
        COURSE,
        _both(
            _at_source("enrollment", enrollment_of(AWA), "org_unit", MBOUR),
            _without("programs", HIV, "organisationUnits", MBOUR),
        ),
    ),
    Case(
        "E1064",
        COURSE,
        _there(
            trackedEntities=[
                _somebody_else(
                    enrollment(OTHER, attributes=[{"attribute": NATIONAL_ID, "value": f"ID-{AWA}"}])
                )
            ]
        ),
    ),
    Case(
        "E1069",
        ("ENROLLMENT", enrollment_of(AWA, "M")),
        _both(_source_writes(enrollments=[pregnancy()]), _lacks("programs", MATERNAL)),
    ),
    Case(
        "E1070",
        COURSE,
        _both(
            _at_source("enrollment", enrollment_of(AWA), "org_unit", "gmXVQ4zs69l"),
            _lacks("organisationUnits", "gmXVQ4zs69l"),
        ),
    ),
    Case(
        "E1076",
        COURSE,
        _both(
            _source_writes(
                enrollments=[
                    enrollment(events=[], attributes=[{"attribute": PHONE, "value": None}])
                ]
            ),
            _mandatory(PHONE),
        ),
        first=True,
    ),
    Case(
        "E1113",
        COURSE,
        _both(_gone_there(enrollments=[{"enrollment": enrollment_of(AWA)}]), _edited),
        first=True,
    ),
    Case(
        "E1127",
        COURSE,
        _both(
            lambda world: world.source.sql("DELETE FROM event WHERE uid = ?", event_of(AWA)),
            _there(
                trackedEntities=[
                    _somebody_else(enrollment(OTHER, enrollment=enrollment_of(AWA), events=[]))
                ]
            ),
        ),
    ),
    Case(
        "E1029",
        VISIT,
        _both(
            _at_source("event", event_of(AWA), "org_unit", MBOUR),
            _without("programs", HIV, "organisationUnits", MBOUR),
        ),
    ),
    Case("E1031", VISIT, _at_source("event", event_of(AWA), "occurred_at", None)),
    Case(
        "E1039",
        SECOND,
        _both(
            _source_writes(events=[visit(number=2, programStage=INITIATION, dataValues=[])]),
            _there(events=[visit(event="AnotherEvt1", programStage=INITIATION, dataValues=[])]),
        ),
        first=True,
    ),
    Case(
        "E1047",
        VISIT,
        _both(
            _at_source("event", event_of(AWA), "occurred_at", "2010-01-01T00:00:00.000"),
            _expiring,
        ),
        versions=("2.40", "2.42"),
    ),
    Case(
        "E1048",
        ("EVENT", "too-short"),
        _at_source("event", event_of(AWA), "uid", "too-short"),
        versions=("2.40", "2.41"),
    ),
    Case(
        "SYNC_REQUEST_REFUSED",
        ("EVENT", "too-short"),
        _at_source("event", event_of(AWA), "uid", "too-short"),
        versions=("2.42", "2.43"),
    ),
    Case(
        "E1082", VISIT, _both(_gone_there(events=[{"event": event_of(AWA)}]), _edited), first=True
    ),
    Case("E1115", VISIT, _at_source("event", event_of(AWA), "option_combo", "UnknownCoc1")),
    Case(
        "E1118",
        VISIT,
        _both(
            _known_here_alone, _at_source("event", event_of(AWA), "assigned_user", "AgentUser01")
        ),
    ),
    Case("E1125", VISIT, _value(event_of(AWA), REGIMEN, "RETIRED")),
    Case(
        "E1128",
        VISIT,
        _there(
            trackedEntities=[
                person(
                    enrollments=[enrollment(events=[visit(programStage=LABORATORY, dataValues=[])])]
                )
            ]
        ),
    ),
    Case("E1302", VISIT, _value(event_of(AWA), WEIGHT, "heavy")),
    Case(
        "E1303",
        LONE,
        _both(
            _value("CaseEvent01", RESULT, None),
            _at_source("event", "CaseEvent01", "status", "COMPLETED"),
        ),
    ),
    Case(
        "E1304",
        SECOND,
        _both(
            _source_writes(
                events=[
                    visit(number=2, dataValues=[{"dataElement": "auU4HhEFrfW", "value": "true"}])
                ]
            ),
            _lacks("dataElements", "auU4HhEFrfW"),
        ),
    ),
    Case(
        "E1305",
        SECOND,
        _both(
            _source_writes(
                events=[
                    visit(number=2, dataValues=[{"dataElement": "auU4HhEFrfW", "value": "true"}])
                ]
            ),
            _without("programStages", FOLLOW_UP, "programStageDataElements", "auU4HhEFrfW"),
        ),
    ),
    Case(
        "E1316",
        VISIT,
        _both(
            _edited,
            _at_source("event", event_of(AWA), "scheduled_at", "2026-04-02T00:00:00.000"),
            _at_source("event", event_of(AWA), "status", "SCHEDULE"),
            _at_source("event", event_of(AWA), "data_values", "{}"),
            lambda world: world.destination.sql(
                "UPDATE event SET data_values = '{}' WHERE uid = ?", event_of(AWA)
            ),
        ),
        first=True,
    ),
    Case(
        "E1083",
        VISIT,
        _both(_completed_there, _edited, _limited),
        first=True,
    ),
    Case(
        "E1091",
        MOTHERHOOD,
        _both(_source_writes(enrollments=[pregnancy(events=[])]), _limited, _no_data_write),
    ),
    Case("E1000", TREE, _within_another_region),
    Case("E1003", TREE, _out_of_reach, first=True, versions=("2.40", "2.42")),
    Case("E1324", TREE, _out_of_reach, first=True, versions=("2.43", "2.43")),
    Case("E1102", COURSE, _both(_edited_course, _within_another_region), first=True),
    Case("E4012", LINK, _both(_linked, _attribute(BORN, "32 March"))),
    Case("E4017", LINK, _unlinked_there, first=True),
    Case("SYNC_FILE_NOT_AT_SOURCE", SECOND, _without_its_file),
    Case("E5000", VISIT, _attribute(BORN, "32 March")),
)

#: Recorded, and none that a run can meet, or one that another test is about.
NOT_IN_A_RUN: Mapping[str, str] = {
    "E1002": "said to CREATE alone; a run creates and updates",
    "E1030": "said to CREATE alone",
    "E1080": "said to CREATE alone",
    "E1063": "said to UPDATE and DELETE alone; to a deletion it is a success",
    "E1033": "a run reads events within their enrollments",
    "E1123": "the same, as 2.43 says it",
    "E1051": "the transform leaves out what is not accepted with the status",
    "E1052": "the transform leaves out what is not accepted with the status",
    "E1068": "whoever is refused keeps what is theirs from being sent alone: E5000",
    "E1079": "the same, of an event",
    "E1313": "comes with E1079 and E1033",
    "E1085": "comes with E1007, which is named",
    "E1121": "a run that reads somebody without org unit stops (test_plan_slices)",
    "E1315": "the transform leaves out what is not accepted with the status (test_flows)",
    "E1084": "a file that the source lacks is noticed before: SYNC_FILE_NOT_AT_SOURCE",
    "E1100": "what hangs below is deleted first, so nothing cascades (test_deletes)",
    "E1326": "such an event is re-opened first (test_loading)",
    "E4018": "the destination has it already: a success (test_relationships)",
}
