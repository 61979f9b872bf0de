"""A server that did not hear all it was asked is found out, and one that did never is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import Listing
from dhis2_api.fields import UID_KEYS, Listed
from dhis2_api.heard import check_heard
from dhis2_api.legacy import read_legacy_list
from dhis2_api.legacy_lists import LEGACY_LISTS
from dhis2_api.reading import read_list
from dhis2_api.selection import Filter, Selection
from scripted_server import Reply, Request, ScriptedServer, as_json, scripted


UTC_ZONE, OSLO = ZoneInfo("Etc/UTC"), ZoneInfo("Europe/Oslo")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SEX, NAME, BORN = "zzlC4ArMYGX", "XlaUz6AYQa9", "e6bl9NqfY2M"
DAYS = (date(2026, 1, 1), date(2026, 1, 2))

WOMEN = Selection(filters=(Filter(SEX, "EQ", ("F",)),))
EITHER = Selection(filters=(Filter(SEX, "IN", ("F", "M")),))
NAMED = Selection(filters=(Filter(NAME, "LIKE", ("Di",)),))
BORN_THEN = Selection(filters=(Filter(BORN, "EQ", ("2000-01-01",)),))
DONE = Selection(enrollment_status="COMPLETED")
FLAGGED = Selection(follow_up=True)
STAGE = Selection(program_stage="stageVisit1")
CLOSED = Selection(event_status="COMPLETED", occurred=DAYS)


def listing(
    kind: Listed = "trackedEntities", selection: Selection = WOMEN, **terms: Any
) -> Listing:
    given = Listing(kind, "programHIV1", ("country0001",), None, 500, selection=selection)
    return replace(given, **terms)


def person(attribute: str, value: Any) -> dict[str, Any]:
    return {"attributes": [{"attribute": attribute, "value": value}]}


def enrolled(*enrollments: dict[str, Any]) -> dict[str, Any]:
    return {"enrollments": [*enrollments]}


OTHERS = {
    "another value": (listing(), person(SEX, "M")),
    "none of the values": (listing(selection=EITHER), person(SEX, "X")),
    "another name": (listing(selection=NAMED), person(NAME, "Sow")),
    "another status": (listing(selection=DONE), enrolled({"status": "ACTIVE"})),
    "no follow-up": (listing(selection=FLAGGED), enrolled({"followUp": False})),
    "an enrollment's status": (listing("enrollments", DONE), {"status": "ACTIVE"}),
    "an enrollment's silence": (listing("enrollments", DONE), {}),
    "an enrollment's follow-up": (listing("enrollments", FLAGGED), {"followUp": False}),
    "another stage": (listing("events", STAGE), {"programStage": "another"}),
    "another day": (
        listing("events", CLOSED),
        {"status": "COMPLETED", "occurredAt": "2026-01-03T00:00:00.000"},
    ),
    "an older row": (
        listing(updated_after=NEW_YEAR, fields="trackedEntity"),
        {"updatedAt": "2025-12-31T23:59:59.000", **person(SEX, "F")},
    ),
    "no stamp": (listing(updated_after=NEW_YEAR), person(SEX, "F")),
}

WANTED = {
    "the value in another case": (listing(), person(SEX, "f")),
    "a value that is hidden": (listing(), person(NAME, "Sow")),
    "one of the values": (listing(selection=EITHER), person(SEX, "M")),
    "a part of the name": (listing(selection=NAMED), person(NAME, "Ndiaye")),
    "a day said otherwise": (listing(selection=BORN_THEN), person(BORN, "2000-01-01T00:00")),
    "one enrollment of two": (
        listing(selection=DONE),
        enrolled({"status": "ACTIVE"}, {"status": "COMPLETED"}),
    ),
    "enrollments that are hidden": (listing(selection=DONE), enrolled()),
    "the last day": (
        listing("events", CLOSED),
        {"status": "COMPLETED", "occurredAt": "2026-01-02T23:00:00.000"},
    ),
}


@contextmanager
def answering(version: str, row: dict[str, Any]) -> Iterator[tuple[Dhis2Client, ScriptedServer]]:
    """A server whose every list is one page of one row."""
    dialect = dialect_of(version)

    def script(request: Request) -> Reply:
        if request.path == "/api/system/info":
            return as_json({"version": version})
        name = request.path.rpartition("/")[2]
        kind = next(kind for kind in UID_KEYS if kind in {name, LEGACY_KINDS.get(name)})
        legacy = "tracker" not in request.path
        key = LEGACY_LISTS[kind].uid if legacy else UID_KEYS[kind]
        number = int(request.query["page"])
        pager = {"page": number, "pageCount": 1, "isLastPage": True}
        rows = [{key: "a", **row}] if number == 1 else []
        return as_json({"pager": pager, **pager, (name if legacy else dialect.rows or kind): rows})

    with scripted(script) as server, Dhis2Client(server.url) as client:
        yield client, server


LEGACY_KINDS = {"trackedEntityInstances": "trackedEntities"}


@pytest.mark.parametrize(("terms", "row"), OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_did_not_hear_is_found_out_by_the_first_rows(
    version: str, terms: Listing, row: dict[str, Any]
) -> None:
    with answering(version, row) as (client, server):
        with pytest.raises(UnexpectedAnswer, match=r"ignored|no stamp") as error:
            list(read_list(client, terms, UTC_ZONE))

    assert len(server.requests) == 2
    assert "Sow" not in str(error.value)


@pytest.mark.parametrize(("terms", "row"), WANTED.values(), ids=WANTED.keys())
@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_heard_is_never_accused(
    version: str, terms: Listing, row: dict[str, Any]
) -> None:
    with answering(version, row) as (client, server):
        rows = list(read_list(client, terms, UTC_ZONE))

    assert [found[UID_KEYS[terms.kind]] for found in rows] == ["a"]
    probe = server.requests[1]
    assert int(probe.query["pageSize"]) == 100
    assert {key: probe.query[key] for key in probe.query if key not in HOW} == {
        key: server.requests[2].query[key] for key in server.requests[2].query if key not in HOW
    }


HOW = {"fields", "page", "pageSize", "totalPages"}


def test_a_list_whose_own_rows_show_the_bound_costs_no_request_more() -> None:
    terms = listing(selection=Selection(), updated_after=NEW_YEAR)

    with answering("2.42.4", {"updatedAt": "2026-01-01T00:00:00.000"}) as (client, server):
        rows = list(read_list(client, terms, UTC_ZONE))

    assert len(rows) == 1
    assert len(server.requests) == 2


def test_a_list_of_several_roots_is_looked_at_in_each() -> None:
    terms = listing("events", STAGE, org_units=("country0001", "country0002"))

    with answering("2.42.4", {"programStage": "stageVisit1"}) as (client, server):
        check_heard(client, terms, UTC_ZONE)

    asked = [request.query["orgUnit"] for request in server.requests[1:]]
    assert asked == ["country0001", "country0002"]


# In Oslo the clock went from 03:00 back to 02:00 at 01:00 UTC.
def autumn(hour: int, minute: int) -> datetime:
    return datetime(2026, 10, 25, hour, minute, tzinfo=UTC)


TWICE = "2026-10-25T02:30:00.000"


@pytest.mark.parametrize("bound", [autumn(0, 30), autumn(1, 0), autumn(1, 30)])
def test_a_stamp_of_the_repeated_hour_is_old_only_if_both_its_instants_are(
    bound: datetime,
) -> None:
    terms = listing(selection=Selection(), updated_after=bound)

    with answering("2.43.1", {"updatedAt": TWICE}) as (client, _):
        rows = list(read_list(client, terms, OSLO))
        with pytest.raises(UnexpectedAnswer, match="older"):
            list(read_list(client, replace(terms, updated_after=autumn(1, 31)), OSLO))

    assert len(rows) == 1


@pytest.mark.parametrize("kind", UID_KEYS)
@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (autumn(0, 30), "2026-10-25T01:30:00"),
        (autumn(1, 30), "2026-10-25T01:30:00"),
        (autumn(2, 0), "2026-10-25T03:00:00"),
    ],
)
def test_a_legacy_bound_in_the_repeated_hour_lies_before_both_its_instants(
    kind: Listed, bound: datetime, said: str
) -> None:
    terms = listing(kind, Selection(), updated_after=bound)
    row = {"lastUpdated": said, "deleted": False}

    with answering("2.41.8", row) as (client, server):
        rows = list(read_legacy_list(client, terms, OSLO))

    assert len(rows) == 1
    assert server.requests[1].query[LEGACY_LISTS[kind].updated_after] == said


LEGACY_OTHERS = {
    "an enrollment's status": (listing("enrollments", DONE), {"status": "ACTIVE"}),
    "an enrollment's follow-up": (listing("enrollments", FLAGGED), {"followup": False}),
    "another stage": (listing("events", STAGE), {"programStage": "another"}),
    "an event's status": (listing("events", CLOSED), {"status": "SKIPPED"}),
    "another day": (listing("events", CLOSED), {"eventDate": "2026-01-03T00:00:00.000"}),
}


@pytest.mark.parametrize(("terms", "row"), LEGACY_OTHERS.values(), ids=LEGACY_OTHERS.keys())
@pytest.mark.parametrize("version", VERSIONS[:2])
def test_a_legacy_list_that_did_not_hear_is_found_out_by_any_row(
    version: str, terms: Listing, row: dict[str, Any]
) -> None:
    with answering(version, row) as (client, server):
        with pytest.raises(UnexpectedAnswer, match="ignored"):
            list(read_legacy_list(client, terms, UTC_ZONE))

    (shown,) = row
    assert shown in server.requests[1].query["fields"].split(",")
