"""A key that nobody ever heard of is named, and nothing that it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from builders import enrollment, event, page, person
from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from sandbox.exchanges import recorded
from scripted_server import Reply, of_version, scripted
from tracker_sync.reading.people import PEOPLE, Wanted, events_wanted
from tracker_sync.reading.probe import LEFT_OUT, unknown_in, unknown_keys


EVENTS = events_wanted("programSurv")


def everything(version: str, wanted: Wanted) -> list[dict[str, Any]]:
    """Return all rows that were recorded with all their fields."""
    return [row for rows in _recorded(version, wanted.kind) for row in rows]


def _recorded(version: str, kind: str) -> Iterator[list[dict[str, Any]]]:
    for exchange in recorded(version):
        asked = exchange.request.get("params") or {}
        if exchange.request["path"].endswith(f"/tracker/{kind}") and asked.get("fields") == "*":
            answer = exchange.recorded.body
            yield answer.get("instances") or answer.get(kind) or []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wanted", [PEOPLE, EVENTS], ids=lambda wanted: wanted.kind)
def test_every_key_that_real_servers_gave_is_known(version: str, wanted: Wanted) -> None:
    rows = everything(version, wanted)
    assert len(rows) >= 3

    assert unknown_in(rows, wanted) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("level", ["trackedEntities", "enrollments", "events", "dataValues"])
def test_a_new_key_at_any_level_is_named_and_no_other(version: str, level: str) -> None:
    rows = everything(version, PEOPLE)
    paths = {
        "trackedEntities": "trackedEntities[]",
        "enrollments": "trackedEntities[].enrollments[]",
        "events": "trackedEntities[].enrollments[].events[]",
        "dataValues": "trackedEntities[].enrollments[].events[].dataValues[]",
    }
    wrapped = {"trackedEntities": json.loads(json.dumps(rows))}
    _add_to(wrapped, level)

    assert unknown_in(wrapped["trackedEntities"], PEOPLE) == [f"{paths[level]}.newKey"]


def _add_to(value: Any, level: str) -> None:
    for item in value if isinstance(value, list) else [value]:
        for key, inner in [*item.items()] if isinstance(item, dict) else ():
            for child in inner if key == level and isinstance(inner, list) else ():
                child["newKey"] = {"newBelow": "Awa"}
            _add_to(inner, level)


def test_the_probe_reads_one_living_object_with_all_its_fields() -> None:
    strange = event(newEventKey="Awa", geometry={"type": "Point", "coordinates": [1, 2]})
    given = person(newKey=["Awa"], enrollments=[enrollment(events=[strange])])
    script = of_version("2.43.1", lambda _: Reply(200, page(given)))

    with scripted(script) as server, Dhis2Client(server.url) as client:
        found = unknown_keys(client, PEOPLE, "person00001")

    query = server.requests[-1].query
    assert (query["fields"], query["includeDeleted"]) == ("*", "false")
    assert found == [
        "trackedEntities[].enrollments[].events[].newEventKey",
        "trackedEntities[].newKey",
    ]


def test_an_object_that_went_away_meanwhile_tells_nothing() -> None:
    script = of_version("2.43.1", lambda _: Reply(200, page()))

    with scripted(script) as server, Dhis2Client(server.url) as client:
        assert unknown_keys(client, PEOPLE, "person00001") == []


def test_nothing_is_left_out_without_need() -> None:
    shown = {
        f"{kind}.{key}"
        for version in VERSIONS
        for wanted in (PEOPLE, EVENTS)
        for kind, key in _keys(everything(version, wanted), wanted.kind)
    }

    # That one was seen at the ends of relationships only.
    assert LEFT_OUT.keys() - shown == {"notes.storedBy"}


def _keys(rows: list[Any], kind: str) -> Iterator[tuple[str, str]]:
    for key, value in ((key, value) for row in rows for key, value in row.items()):
        yield kind, key
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from _keys(value, key)
