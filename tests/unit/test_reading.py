"""Reading asks so that nothing is lost, and takes no answer for less than it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import CLINIC, PROGRAM, enrollment, person
from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import Listing
from listed import list_changes
from scripted_server import Reply, Request, as_json, of_version, scripted
from tracker_sync.reading.listing import Source
from tracker_sync.reading.lists import KINDS
from tracker_sync.reading.people import read_people
from tracker_sync.staging.tables import flatten
from tracker_sync.steps.extract import without_enrollment


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOTS = ("GwTj6qZdrlX", "YGeDprhfds1")
OSLO = "Europe/Oslo"


def row(uid: str, stamp: str = "2026-11-24T13:30:00.000") -> dict[str, Any]:
    named = {"trackedEntity": uid, "enrollment": uid, "event": uid}
    return {**named, "orgUnit": CLINIC, "updatedAt": stamp, "deleted": False}


def list_page(request: Request, *rows: Any, goes_on: bool = False) -> Reply:
    number = int(request.query["page"])
    pager = {"page": number} | ({"nextPage": "http://dhis2.example/next"} if goes_on else {})
    return as_json({"pager": pager, request.path.rpartition("/")[2]: rows})


def listed(
    script: Callable[[Request], Reply], updated_after: datetime | None = NOON
) -> tuple[list[dict[str, Any]], list[Request]]:
    listings = [Listing(kind, PROGRAM, ROOTS, updated_after, 1000) for kind in KINDS]
    with scripted(script) as server, Dhis2Client(server.url) as client:
        source = Source(client, dialect_of("2.42.4"), ZoneInfo(OSLO))
        rows: list[dict[str, Any]] = list_changes(source, listings).rows.to_pylist()
    assert server.requests
    return rows, server.requests


def test_no_list_has_an_upper_bound_or_an_order_that_an_edit_changes() -> None:
    _, requests = listed(list_page)

    assert {request.path.rpartition("/")[2] for request in requests} == set(KINDS)
    for request in requests:
        assert not {"updatedBefore", "updatedWithin", "paging", "skipPaging"} & request.query.keys()
        assert "updatedAt" not in request.query.get("order", "")


def test_every_bound_carries_its_zone() -> None:
    _, requests = listed(list_page)

    assert {request.query["updatedAfter"] for request in requests} == {"2026-11-24T12:00:00.000Z"}


def test_a_baseline_has_no_bound_at_all() -> None:
    _, requests = listed(list_page, updated_after=None)

    assert not [request for request in requests if "updatedAfter" in request.query]


def test_a_servers_stamps_are_read_in_its_own_zone() -> None:
    rows, _ = listed(lambda request: list_page(request, row("person00001")))

    assert {found["updated_at"] for found in rows} == {NOON.replace(minute=30)}


def test_events_are_asked_for_once_for_each_root() -> None:
    _, requests = listed(list_page)

    events = [r.query["orgUnit"] for r in requests if r.path.endswith("/events")]
    assert events == [*ROOTS]


def test_a_short_or_empty_page_is_not_the_end_while_the_server_names_a_next_one() -> None:
    def script(request: Request) -> Reply:
        number = int(request.query["page"])
        rows = [] if number == 2 else [row(f"person{number:05}")]
        return list_page(request, *rows, goes_on=number < 3)

    rows, _ = listed(script)

    assert {found["tracked_entity"] for found in rows} == {"person00001", "person00003"}


def test_a_server_that_ignores_the_bound_is_found_out() -> None:
    with pytest.raises(UnexpectedAnswer, match="ignored `updatedAfter`"):
        listed(lambda request: list_page(request, row("person00001", "2026-11-24T12:59:59.999")))


def test_a_server_that_answers_another_page_is_found_out() -> None:
    def script(request: Request) -> Reply:
        again = Request("GET", request.path, {"page": "1"}, {}, None)
        return list_page(again, row("person00001"), goes_on=True)

    with pytest.raises(UnexpectedAnswer, match="answered page 1 when asked for 2"):
        listed(script)


class TestReadingByUid:
    def read(self, script: Callable[[Request], Reply], *uids: str) -> tuple[list[Any], set[str]]:
        with scripted(of_version("2.42.4", script)) as server, Dhis2Client(server.url) as client:
            (people,) = read_people(client, uids, at_once=300)
        self.requests = server.requests
        return people.rows.to_pylist(), set(people.absent)

    def test_asks_without_program_for_a_page_larger_than_the_batch(self) -> None:
        self.read(lambda request: list_page(request, person("person00001")), "person00001")

        _, request = self.requests  # the first asks for the version
        assert "program" not in request.query
        assert int(request.query["pageSize"]) > 1

    def test_asks_again_for_those_who_did_not_come(self) -> None:
        def script(request: Request) -> Reply:
            asked = request.query["trackedEntities"].split(",")
            return list_page(request, person(asked[0]))

        rows, absent = self.read(script, "person00001", "person00002")

        assert {row["trackedEntity"] for row in rows} == {"person00001", "person00002"}
        assert absent == set()

    def test_names_those_who_did_not_come_twice(self) -> None:
        def script(request: Request) -> Reply:
            there = "person00001" in request.query["trackedEntities"]
            return list_page(request, *[person("person00001")] * there)

        rows, absent = self.read(script, "person00001", "person00002")

        assert len(rows) == 1
        assert absent == {"person00002"}

    def test_refuses_people_nobody_asked_for(self) -> None:
        with pytest.raises(UnexpectedAnswer, match="ignored the UIDs"):
            self.read(lambda request: list_page(request, person("person00009")), "person00001")

    def test_knows_who_came_without_the_enrollment_that_listed_them(self) -> None:
        """Lost rights look like emptiness (measured: Flows)."""
        found: list[Any] = []

        def script(request: Request) -> Reply:
            whole = person("person00001")
            return list_page(request, whole, person("person00002", enrollments=[]))

        with scripted(of_version("2.42.4", script)) as server, Dhis2Client(server.url) as client:
            (people,) = read_people(client, ["person00001", "person00002"], at_once=300)
        tables = flatten(people.rows, [PROGRAM])
        found += without_enrollment(tables, {"person00001": [PROGRAM], "person00002": [PROGRAM]})

        assert found == [("person00002", PROGRAM)]

    def test_an_enrollment_that_was_deleted_is_one_that_was_seen(self) -> None:
        gone = person(enrollments=[enrollment(deleted=True)])
        script = of_version("2.42.4", lambda request: list_page(request, gone))
        with scripted(script) as server:
            with Dhis2Client(server.url) as client:
                (people,) = read_people(client, ["person00001"], at_once=300)

        assert without_enrollment(flatten(people.rows, [PROGRAM]), {"person00001": [PROGRAM]}) == []
