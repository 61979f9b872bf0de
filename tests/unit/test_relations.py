"""Relationships are read of those who may have some, the living ones, each once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import PROGRAM, STAGE, STAMP, TYPE, enrollment, event, person, staged
from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.paging import envelope_of
from scripted_server import Request, as_json, of_version, scripted
from tracker_sync.reading.people import read_wanted
from tracker_sync.reading.relations import (
    may_be_related,
    once_each,
    relationships_wanted,
)
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import EVENT_ROW, flatten_events


def relationship(uid: str, start: dict[str, Any], end: dict[str, Any]) -> dict[str, Any]:
    stamps = {"createdAt": STAMP, "updatedAt": STAMP}
    ends = {"from": start, "to": end}
    return {"relationship": uid, "relationshipType": "typeMother1", **stamps, **ends}


def a_person(uid: str) -> dict[str, Any]:
    return {"trackedEntity": {"trackedEntity": uid}}


MOTHER = relationship("relation001", a_person("mother00001"), a_person("child000001"))
VISIT = {"event": {"event": "event000001"}}
CARE = {"enrollment": {"enrollment": "enroll00001"}}


def related(uid: str, *own: Any, enrollment: Any = (), event: Any = ()) -> dict[str, Any]:
    below = {"event": "event000001", "relationships": [*event]}
    care = {"enrollment": "enroll00001", "relationships": [*enrollment], "events": [below]}
    return {"trackedEntity": uid, "relationships": [*own], "enrollments": [care]}


@pytest.mark.parametrize("joined_by", [TYPE, PROGRAM, STAGE])
def test_whoever_a_relationship_type_may_join_is_asked_about(joined_by: str) -> None:
    tables = staged(person("person00001"), person("person00002", deleted=True))

    assert may_be_related(tables, {joined_by}) == ["person00001"]
    assert may_be_related(tables, {"programOth1"}) == []


def test_a_person_is_asked_about_only_for_what_is_the_persons() -> None:
    tables = staged(
        person("person00001", enrollments=[]),
        person("person00002", enrollments=[enrollment(events=[event(programStage="stageOther1")])]),
    )

    assert may_be_related(tables, {STAGE}) == []
    assert may_be_related(tables, {PROGRAM}) == ["person00002"]


def test_living_events_of_a_program_that_may_be_joined_are_asked_about() -> None:
    envelope = envelope_of(dialect_of("2.42.4"), "events")
    given = [event("event000001", program="programSurv"), event("event000002", deleted=True)]
    body = json.dumps({"pager": {"page": 1}, "events": given}).encode()
    tables = flatten_events(parse_page(body, envelope, EVENT_ROW, what="test").rows)

    assert may_be_related(tables, {"programSurv"}) == ["event000001"]
    assert may_be_related(tables, {STAGE}) == ["event000001"]
    assert may_be_related(tables, {TYPE}) == []


def read(answer: list[dict[str, Any]], program: str = "") -> tuple[list[Any], Request]:
    def script(request: Request) -> Any:
        return as_json({"pager": {"page": 1}, request.path.rpartition("/")[2]: answer})

    key = "event" if program else "trackedEntity"
    uids = [row[key] for row in answer]
    with scripted(of_version("2.43.1", script)) as server, Dhis2Client(server.url) as client:
        batches = read_wanted(client, relationships_wanted(program), uids, 1000)
        tables = [table for table, _ in once_each(batches)]
    return [row for table in tables for row in table.to_pylist()], server.requests[-1]


def test_dead_relationships_stay_away_since_nothing_would_tell_them_apart() -> None:
    _, request = read([related("mother00001", MOTHER)])

    assert request.query["includeDeleted"] == "false"
    assert "program" not in request.query


def test_relationships_of_all_levels_are_found_with_both_ends() -> None:
    mother = a_person("mother00001")
    given = related(
        *("mother00001", MOTHER),
        enrollment=[relationship("relation002", mother, CARE)],
        event=[relationship("relation003", VISIT, mother)],
    )

    rows, _ = read([given])

    ends = {row["relationship"]: {k: v for k, v in row.items() if "_" in k and v} for row in rows}
    assert ends == {
        "relation001": {"from_trackedEntity": "mother00001", "to_trackedEntity": "child000001"},
        "relation002": {"from_trackedEntity": "mother00001", "to_enrollment": "enroll00001"},
        "relation003": {"from_event": "event000001", "to_trackedEntity": "mother00001"},
    }
    assert {row["trackedEntity"] for row in rows} == {"mother00001"}
    assert {row["relationshipType"] for row in rows} == {"typeMother1"}


def test_a_relationship_whose_both_ends_are_read_is_one_row() -> None:
    rows, _ = read([related("mother00001", MOTHER), related("child000001", MOTHER)])

    assert [row["relationship"] for row in rows] == ["relation001"]


def test_a_relationship_whose_ends_come_in_two_batches_is_one_row() -> None:
    answers = iter([related("mother00001", MOTHER), related("child000001", MOTHER)])
    script = of_version(
        "2.43.1", lambda _: as_json({"pager": {"page": 1}, "trackedEntities": [next(answers)]})
    )

    with scripted(script) as server, Dhis2Client(server.url) as client:
        batches = read_wanted(client, relationships_wanted(""), ["mother00001", "child000001"], 1)
        lengths = [table.num_rows for table, _ in once_each(batches)]

    assert lengths == [1, 0]


def test_relationships_of_events_without_registration_stand_under_nobody() -> None:
    other = {"event": {"event": "event000002"}}
    given = {"event": "event000001", "relationships": [relationship("relation004", VISIT, other)]}

    rows, request = read([given], program="programSurv")

    (row,) = rows
    assert (row["trackedEntity"], row["from_event"], row["to_event"]) == (
        *(None, "event000001"),
        "event000002",
    )
    assert request.query["program"] == "programSurv"


def test_nobody_related_makes_an_empty_table() -> None:
    rows, _ = read([related("person00001")])

    assert rows == []
