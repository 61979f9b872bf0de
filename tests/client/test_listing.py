"""A list loses nothing that was there throughout, whatever is edited meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client.paging_server import EPOCH, Edit, Person, serving
from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import Listing, listing_requests
from dhis2_api.paging import Asked
from dhis2_api.reading import each_row, read_list
from scripted_server import Reply, Request, as_json, scripted
from tracker_sync.listing import Source, list_changes


ZONE = ZoneInfo("Etc/UTC")
SLOWLY = settings(deadline=None, max_examples=40)


@st.composite
def populations(draw: st.DrawFn) -> list[Person]:
    count = draw(st.integers(0, 25))
    updated = draw(st.lists(st.integers(0, 999), min_size=count, max_size=count))
    hidden = draw(st.sets(st.integers(0, 24), max_size=8))
    return [
        Person(f"person{i:05}", created=i // 2, updated=updated[i], hidden=i in hidden)
        for i in range(count)
    ]


edits = st.lists(
    st.tuples(st.sampled_from(["change", "add", "delete"]), st.integers(0, 50)), max_size=12
)
versions = st.sampled_from(VERSIONS)
sizes = st.integers(1, 9)
bounds = st.one_of(st.none(), st.integers(0, 999))


def listing(size: int, bound: int | None) -> Listing:
    after = None if bound is None else EPOCH + timedelta(seconds=bound)
    return Listing("trackedEntities", "programHIV1", ("country0001",), after, size)


def there_throughout(people: list[Person], bound: int | None) -> set[str]:
    return {p.uid for p in people if not p.hidden and (bound is None or p.updated >= bound)}


@SLOWLY
@given(version=versions, people=populations(), changes=edits, size=sizes, bound=bounds)
def test_a_list_loses_nothing_that_was_there_throughout(
    version: str, people: list[Person], changes: list[Edit], size: int, bound: int | None
) -> None:
    expected = there_throughout(people, bound)

    with serving(version, people, changes) as (server, _), Dhis2Client(server.url) as client:
        rows = list(read_list(client, listing(size, bound), ZONE))

    assert expected <= {row["trackedEntity"] for row in rows}


@SLOWLY
@given(version=versions, people=populations(), changes=edits, size=sizes, bound=bounds)
def test_nor_does_the_listing_of_a_run(
    version: str, people: list[Person], changes: list[Edit], size: int, bound: int | None
) -> None:
    expected = there_throughout(people, bound)

    with serving(version, people, changes) as (server, _), Dhis2Client(server.url) as client:
        table = list_changes(Source(client, client.dialect, ZONE), [listing(size, bound)])

    assert expected <= set(table["tracked_entity"].to_pylist())


@SLOWLY
@given(version=versions, people=populations(), size=sizes)
def test_where_nothing_changes_everybody_comes_once(
    version: str, people: list[Person], size: int
) -> None:
    with serving(version, people) as (server, population), Dhis2Client(server.url) as client:
        rows = list(read_list(client, listing(size, None), ZONE))

    uids = [row["trackedEntity"] for row in rows]
    assert sorted(uids) == sorted(there_throughout(people, None))
    pages = -(-len(people) // size)
    assert len(population.asked) <= pages + 1


def asked_as(version: str, **params: Any) -> Asked:
    (asked,) = listing_requests(listing(3, 0), dialect_of(version))
    return replace(asked, params={**asked.params, **params})


FORBIDDEN = {
    "an upper bound": {"updatedBefore": "2026-01-01T00:16:40.000Z"},
    "in the order of updates": {"order": "updatedAt:asc"},
}


@pytest.mark.parametrize("params", FORBIDDEN.values(), ids=FORBIDDEN.keys())
@pytest.mark.parametrize("version", VERSIONS)
def test_the_forbidden_ways_are_seen_to_lose(version: str, params: dict[str, str]) -> None:
    """As measured on four servers: one edit between two pages is enough."""
    people = [Person(f"person{i:05}", created=i, updated=i) for i in range(12)]
    changes: list[Edit] = [("change", i) for i in range(4)]

    lost = _missed(version, people, changes, params)
    kept = _missed(version, [replace(p) for p in people], changes, {})

    assert kept == set()
    assert lost


def _missed(
    version: str, people: list[Person], changes: list[Edit], params: dict[str, str]
) -> set[str]:
    everybody = there_throughout(people, 0)
    with serving(version, people, changes) as (server, _), Dhis2Client(server.url) as client:
        rows = list(each_row(client, asked_as(version, **params), "trackedEntity"))
    return everybody - {row["trackedEntity"] for row in rows}


@pytest.mark.parametrize("version", VERSIONS[:2])
def test_stopping_at_a_short_page_is_seen_to_lose(version: str) -> None:
    people = [Person(f"person{i:05}", created=i, updated=i, hidden=i == 1) for i in range(9)]
    asked = asked_as(version)

    with serving(version, people) as (server, _), Dhis2Client(server.url) as client:
        first = client.get(asked.path, {**asked.params, "page": 1})
        whole = list(each_row(client, asked, "trackedEntity"))

    rows = first[client.dialect.rows or "trackedEntities"]
    assert asked.params["pageSize"] == 3
    assert len(rows) == 2
    assert len(whole) == 8


def test_a_server_that_does_not_count_is_found_out() -> None:
    page = {"pager": {"page": 1}, "trackedEntities": []}

    def script(request: Request) -> Reply:
        return as_json({"version": "2.41.8"} if request.path.endswith("info") else page)

    with scripted(script) as server, Dhis2Client(server.url) as client:
        with pytest.raises(UnexpectedAnswer, match="totalPages"):
            list(read_list(client, listing(3, None), ZONE))


def test_a_wrong_count_is_not_followed_for_ever() -> None:
    def script(request: Request) -> Reply:
        if request.path.endswith("info"):
            return as_json({"version": "2.41.8"})
        number = int(request.query["page"])
        pages = 10**9 if number == 1 else 1
        rows = [{"trackedEntity": "a", "updatedAt": "2026-01-01", "deleted": False}]
        pager = {"page": number, "pageCount": pages}
        return as_json({"pager": pager, "trackedEntities": rows if number == 1 else []})

    with scripted(script) as server, Dhis2Client(server.url) as client:
        rows = list(read_list(client, listing(3, None), ZONE))

    assert len(rows) == 1
    assert len(server.requests) == 4
