"""Whatever is asked for is staged, or named as missing; never left out in silence."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import PROGRAM, STAGE, STAMP, TYPE, enrollment, event, person
from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused
from dhis2_api.export import Listing
from dhis2_api.patience import Patience
from dhis2_api.reading import read_list
from planned import SLICE, list_children, planned
from scripted_server import Reply, Request, as_json, of_version, scripted
from servers import HIV, MATERNAL, PERSON, SENEGAL, SURVEILLANCE, VACCINATION, route, running
from tracker_sync.route import Reading
from tracker_sync.staging.package import Package, open_package
from tracker_sync.steps.extract import NothingPlanned, extract
from tracker_sync.workspace import Workspace


REGISTERING = (HIV, MATERNAL, VACCINATION)
LONE_EVENT = "programSurv"


def stage(source: Dhis2Client, workspace: Workspace, *programs: str, at_once: int = 20) -> Package:
    terms = route(programs=programs, reading=Reading(at_once=at_once, in_parallel=4))
    return open_package(extract(source, terms, workspace, SLICE, 1).package)


def column(package: Package, table: str, name: str) -> list[Any]:
    return [value for group in package.row_groups() for value in group[table][name].to_pylist()]


def district(source: Dhis2Client, kind: Any, *programs: str) -> list[dict[str, Any]]:
    listings = [Listing(kind, uid, (SENEGAL,), None, 1000, fields="*") for uid in programs]
    return [row for each in listings for row in read_list(source, each, ZoneInfo("Etc/UTC"))]


def below(rows: list[dict[str, Any]], *path: str) -> list[Any]:
    for name in path:
        rows = [child for row in rows for child in row[name]]
    return rows


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_of_everybody_is_staged(version: str, tmp_path: Path) -> None:
    with running(tmp_path, "from", district=True, version=version) as source:
        people = district(source, "trackedEntities", *REGISTERING)
        expected: dict[str, list[str]] = {row["trackedEntity"]: [] for row in people}
        workspace = planned(tmp_path, expected, related=[PERSON])

        package = stage(source, workspace, *REGISTERING)

    assert len(expected) > 150
    assert sorted(column(package, "tracked_entities", "trackedEntity")) == sorted(expected)
    for table, key, path in (
        ("enrollments", "enrollment", ("enrollments",)),
        ("events", "event", ("enrollments", "events")),
        ("relationships", "relationship", ("relationships",)),
    ):
        staged = column(package, table, key)
        assert set(staged) == {row[key] for row in below(people, *path)}, table
        assert len(staged) == len(set(staged)) > 20, table
    notes = [
        *below(people, "enrollments", "notes"),
        *below(people, "enrollments", "events", "notes"),
    ]
    assert {*column(package, "notes", "note")} == {note["note"] for note in notes}
    assert notes
    values = below(people, "enrollments", "events", "dataValues")
    assert {*column(package, "data_values", "value")} == {value["value"] for value in values}
    assert {*column(package, "owners", "program")} == {*REGISTERING}
    lost = ("absent", "gone", "without_enrollment", "children_not_returned")
    for kept in (*lost, "relationships_not_read", "unknown_keys"):
        assert package.notes[kept] == [], kept


@pytest.mark.parametrize("version", VERSIONS)
def test_events_without_registration_are_staged_with_their_tombstones(
    version: str, tmp_path: Path
) -> None:
    with running(tmp_path, "from", district=True, version=version) as source:
        events = district(source, "events", SURVEILLANCE)
        gone = events[0]["event"]
        source.post(
            "/api/tracker",
            {"events": [{"event": gone}]},
            {"importStrategy": "DELETE", "async": "false"},
        )
        expected = {row["event"]: [SURVEILLANCE] for row in events}
        workspace = planned(tmp_path, expected, program=SURVEILLANCE)

        package = stage(source, workspace, SURVEILLANCE)

    assert len(expected) == 60
    staged = dict(
        zip(column(package, "events", "event"), column(package, "events", "deleted"), strict=True)
    )
    assert staged == {uid: uid == gone for uid in expected}
    assert {*column(package, "events", "program")} == {SURVEILLANCE}
    assert {*column(package, "events", "trackedEntity")} == {None}
    assert package.rows("data_values") > 60
    assert package.notes["program"] == SURVEILLANCE
    assert package.rows("tracked_entities") == 0


Script = Callable[[Request], Reply | None]


def people_page(*people: dict[str, Any]) -> Reply:
    return as_json({"pager": {"page": 1}, "trackedEntities": people})


def staged_of(
    workspace: Workspace, script: Script, *programs: str, at_once: int = 1
) -> tuple[Package, list[Request]]:
    patience = Patience(budget=0)
    with scripted(of_version("2.43.1", script)) as server:
        with Dhis2Client(server.url, patience=patience) as client:
            package = stage(client, workspace, *(programs or (HIV,)), at_once=at_once)
    return package, server.requests


def test_who_does_not_come_back_is_named_and_who_lost_an_enrollment_too(tmp_path: Path) -> None:
    expected = {"person00001": [HIV], "person00002": [HIV], "person00003": [HIV], "person00004": []}
    workspace = planned(tmp_path, expected, unlisted=["person00004"])
    whole = person("person00001", enrollments=[enrollment(program=HIV)])
    answers = {"person00001": [whole], "person00002": [person("person00002", enrollments=[])]}

    def script(request: Request) -> Reply:
        return people_page(*answers.get(request.query["trackedEntities"], ()))

    package, _ = staged_of(workspace, script)

    assert package.notes["absent"] == ["person00003"]
    assert package.notes["gone"] == ["person00004"]
    assert package.notes["without_enrollment"] == [["person00002", HIV]]
    assert column(package, "tracked_entities", "trackedEntity") == ["person00001", "person00002"]


@pytest.mark.parametrize("at_once", [1, 2, 20])
def test_a_listed_child_that_comes_neither_alive_nor_dead_is_named(
    at_once: int, tmp_path: Path
) -> None:
    """Since 2.42 a list of what the account may not see is empty (tracker-api 2)."""
    uids = [f"person{number:05}" for number in range(1, 6)]
    whole, hidden, without, dead, purged = uids
    below = {
        uid: {"enrollments": [f"enroll{uid[-5:]}"], "events": [f"event1{uid[-5:]}"]} for uid in uids
    }
    workspace = planned(tmp_path, {uid: [HIV] for uid in reversed(uids)})
    list_children(workspace, below)

    def enrolled(uid: str, *events: dict[str, Any], deleted: bool = False) -> dict[str, Any]:
        terms: dict[str, Any] = {"program": HIV, "events": [*events], "deleted": deleted}
        return person(uid, enrollments=[enrollment(*below[uid]["enrollments"], **terms)])

    answers = {
        whole: enrolled(whole, event(*below[whole]["events"], deleted=True), deleted=True),
        hidden: enrolled(hidden),
        without: person(without, enrollments=[]),
        dead: person(dead, deleted=True, enrollments=[]),
    }

    def script(request: Request) -> Reply:
        asked = request.query["trackedEntities"].split(",")
        return people_page(*(answers[uid] for uid in asked if uid in answers))

    package, _ = staged_of(workspace, script, at_once=at_once)

    assert sorted(package.notes["children_not_returned"]) == [
        ["ENROLLMENT", "enroll00003", without],
        ["EVENT", "event100002", hidden],
        ["EVENT", "event100003", without],
    ]
    assert package.notes["absent"] == [purged]
    assert package.notes["without_enrollment"] == [[without, HIV]]


def test_a_run_whose_staging_was_removed_says_what_to_do(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"person00001": [HIV]})
    shutil.rmtree(workspace.run)

    with pytest.raises(NothingPlanned, match=r"by hand with `from` .* clear the whole run"):
        staged_of(workspace, lambda _: people_page(person("person00001")))

    assert not workspace.run.exists()


def test_tombstones_of_people_enrollments_and_events_are_staged(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"person00001": [], "person00002": []})
    below = enrollment(program=HIV, deleted=True, events=[event(deleted=True)])
    answers = {
        "person00001": person("person00001", enrollments=[below]),
        "person00002": person("person00002", deleted=True, enrollments=[]),
    }

    package, _ = staged_of(
        workspace, lambda request: people_page(answers[request.query["trackedEntities"]])
    )

    assert column(package, "tracked_entities", "deleted") == [False, True]
    assert column(package, "enrollments", "deleted") == [True]
    assert column(package, "events", "deleted") == [True]


def test_an_event_that_does_not_come_back_is_named(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"event000001": [LONE_EVENT]}, program=LONE_EVENT)
    nothing = as_json({"pager": {"page": 1}, "events": []})

    package, _ = staged_of(workspace, lambda _: nothing, LONE_EVENT)

    assert package.notes["absent"] == ["event000001"]
    assert package.rows("events") == 0


@pytest.mark.parametrize(("joined_by", "asked"), [((), 0), ((TYPE,), 1), ((STAGE,), 1)])
def test_relationships_are_read_only_for_whom_a_type_may_join(
    joined_by: tuple[str, ...], asked: int, tmp_path: Path
) -> None:
    workspace = planned(tmp_path, {"person00001": []}, related=joined_by)

    def script(request: Request) -> Reply:
        given = person(enrollments=[enrollment(program=HIV)], relationships=[])
        for each in given["enrollments"]:
            each["relationships"] = each["events"][0]["relationships"] = []
        return people_page(given)

    package, requests = staged_of(workspace, script)

    fields = [request.query.get("fields", "") for request in requests]
    assert sum("relationships" in each for each in fields) == asked
    assert package.rows("relationships") == 0
    assert package.rows("tracked_entities") == 1


def test_who_is_gone_when_the_relationships_are_read_is_named(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"person00001": []}, related=[TYPE])

    def script(request: Request) -> Reply:
        return people_page(*[person()] * ("relationships" not in request.query["fields"]))

    package, _ = staged_of(workspace, script)

    assert package.notes["relationships_not_read"] == ["person00001"]
    assert package.notes["absent"] == []


def test_a_key_that_nobody_knows_is_named_in_the_log_and_the_notes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = planned(tmp_path, {"person00001": [], "person00002": []})

    def script(request: Request) -> Reply:
        return people_page(person(request.query["trackedEntities"], newKey="Awa"))

    with caplog.at_level(logging.WARNING):
        package, requests = staged_of(workspace, script, PROGRAM)

    assert package.notes["unknown_keys"] == ["trackedEntities[].newKey"]
    assert "trackedEntities[].newKey" in caplog.text
    assert "Awa" not in caplog.text
    assert sum(request.query.get("fields") == "*" for request in requests) == 1


def test_a_request_that_fails_leaves_no_half_package(tmp_path: Path) -> None:
    uids = [f"person{number:05}" for number in range(30)]
    workspace = planned(tmp_path, dict.fromkeys(uids, ()))

    def script(request: Request) -> Reply:
        uid = request.query["trackedEntities"]
        return as_json({}, 409) if uid == uids[7] else people_page(person(uid, createdAt=STAMP))

    with pytest.raises(RequestRefused):
        staged_of(workspace, script)

    assert [*workspace.package(SLICE, 1).iterdir()] == []
