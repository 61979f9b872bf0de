"""A list loses nothing that was there throughout, whatever is edited meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.paging_server import EPOCH, Edit, EditKind, Record, serving
from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.export import Listing, includes_deleted, listing_requests
from dhis2_api.fields import UID_KEYS, Listed
from dhis2_api.paging import Asked
from dhis2_api.reading import each_row, read_list
from dhis2_api.selection import EVERYTHING, Selection
from listed import list_changes
from tracker_sync.reading.listing import Source


ZONE = ZoneInfo("Etc/UTC")
KINDS: tuple[Listed, ...] = ("trackedEntities", "enrollments", "events")
ACTIVE = Selection(enrollment_status="ACTIVE")


def records(count: int, **terms: Any) -> list[Record]:
    return [Record(f"record{i:05}", created=i, updated=i, **terms) for i in range(count)]


@st.composite
def populations(draw: st.DrawFn) -> list[Record]:
    count = draw(st.integers(0, 25))
    updated = draw(st.lists(st.integers(0, 999), min_size=count, max_size=count))
    hidden = draw(st.sets(st.integers(0, 24), max_size=8))
    completed = draw(st.sets(st.integers(0, 24), max_size=8))
    return [
        Record(
            f"record{i:05}",
            created=i // 2,
            updated=updated[i],
            hidden=i in hidden,
            status="COMPLETED" if i in completed else "ACTIVE",
        )
        for i in range(count)
    ]


@st.composite
def listings(draw: st.DrawFn) -> Listing:
    """Return any list: of each kind, by program or type, with a bound, with a selection."""
    kind = draw(st.sampled_from(KINDS))
    by_type = kind == "trackedEntities" and draw(st.booleans())
    scope = {"program": "", "tracked_entity_type": "personType1"} if by_type else {}
    bound = draw(st.one_of(st.none(), st.integers(0, 999)))
    selection = draw(st.sampled_from([EVERYTHING, ACTIVE]))
    return listing(draw(st.integers(1, 9)), bound, kind=kind, selection=selection, **scope)


def listing(size: int, bound: int | None = None, **terms: Any) -> Listing:
    after = None if bound is None else EPOCH + timedelta(seconds=bound)
    return replace(
        Listing("trackedEntities", "programHIV1", ("country0001",), after, size), **terms
    )


def draw_edits(data: st.DataObject, version: str, terms: Listing) -> list[Edit]:
    """Return edits of which none takes a row out of the list."""
    kinds: list[EditKind] = ["change", "add", "reopen"]
    if includes_deleted(terms, dialect_of(version)) == "true":
        kinds.append("delete")
    if terms.selection == EVERYTHING:
        kinds.append("complete")
    edits = st.tuples(st.sampled_from(kinds), st.integers(0, 50))
    return data.draw(st.lists(edits, max_size=12))


def there_throughout(population: Iterable[Record], terms: Listing) -> set[str]:
    """Return whom the list holds at its beginning, and so to its end, for none leaves it."""
    after = terms.updated_after
    return {
        record.uid
        for record in population
        if not record.hidden
        and (after is None or EPOCH + timedelta(seconds=record.updated) >= after)
        and (terms.selection == EVERYTHING or record.status == "ACTIVE")
    }


@given(st.data(), st.sampled_from(VERSIONS), populations(), listings())
def test_a_list_loses_nothing_that_was_there_throughout(
    data: st.DataObject, version: str, population: list[Record], terms: Listing
) -> None:
    expected = there_throughout(population, terms)
    edits = draw_edits(data, version, terms)

    with serving(version, population, edits) as (server, _), Dhis2Client(server.url) as client:
        rows = list(read_list(client, terms, ZONE))

    assert expected <= {row[UID_KEYS[terms.kind]] for row in rows}


@given(st.data(), st.sampled_from(VERSIONS), populations(), listings())
def test_nor_does_the_listing_of_a_run(
    data: st.DataObject, version: str, population: list[Record], terms: Listing
) -> None:
    expected = there_throughout(population, terms)
    edits = draw_edits(data, version, terms)

    with serving(version, population, edits) as (server, _), Dhis2Client(server.url) as client:
        table = list_changes(Source(client, client.dialect, ZONE), [terms]).rows

    assert expected <= set(table["uid"].to_pylist())


LEAVING: dict[str, tuple[Edit, Listing, tuple[str, ...]]] = {
    "deleted, where the deleted don't come": (
        ("delete", 0),
        listing(3, program="", tracked_entity_type="personType1"),
        ("2.40.9", "2.42.4"),
    ),
    "no longer selected": (("complete", 0), listing(3, kind="events", selection=ACTIVE), VERSIONS),
}


@pytest.mark.parametrize(
    ("edit", "terms", "version"),
    [(edit, terms, version) for edit, terms, versions in LEAVING.values() for version in versions],
)
def test_a_row_that_leaves_can_hide_its_neighbour_and_reading_again_brings_it(
    edit: Edit, terms: Listing, version: str
) -> None:
    """What one read cannot promise: who leaves the first page draws the rest one place forward."""
    (asked,) = listing_requests(terms, dialect_of(version))
    population = records(12)
    staying = {record.uid for record in population[1:]}

    with serving(version, population, [edit]) as (server, _), Dhis2Client(server.url) as client:
        once, again = (
            {row[UID_KEYS[terms.kind]] for row in each_row(client, asked, UID_KEYS[terms.kind])}
            for _ in range(2)
        )

    assert staying - once == {population[3].uid}
    assert staying == again


@given(st.sampled_from(VERSIONS), populations(), st.integers(1, 9))
def test_where_nothing_changes_everybody_comes_once(
    version: str, population: list[Record], size: int
) -> None:
    with serving(version, population) as (server, served), Dhis2Client(server.url) as client:
        rows = list(read_list(client, listing(size), ZONE))

    uids = [row["trackedEntity"] for row in rows]
    assert sorted(uids) == sorted(there_throughout(population, listing(size)))
    pages = -(-len(population) // size)
    assert len(served.asked) <= pages + 1


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
    lost, kept = _missed(version, params), _missed(version, {})

    assert kept == set()
    assert lost


def _missed(version: str, params: dict[str, str]) -> set[str]:
    population = records(12)
    edits: list[Edit] = [("change", i) for i in range(4)]
    everybody = there_throughout(population, listing(3, 0))
    with serving(version, population, edits) as (server, _), Dhis2Client(server.url) as client:
        rows = list(each_row(client, asked_as(version, **params), "trackedEntity"))
    return everybody - {row["trackedEntity"] for row in rows}


@pytest.mark.parametrize("version", VERSIONS[:2])
def test_stopping_at_a_short_page_is_seen_to_lose(version: str) -> None:
    population = records(9)
    population[1].hidden = True
    asked = asked_as(version)

    with serving(version, population) as (server, _), Dhis2Client(server.url) as client:
        first = client.get(asked.path, {**asked.params, "page": 1})
        whole = list(each_row(client, asked, "trackedEntity"))

    rows = first[client.dialect.rows or "trackedEntities"]
    assert asked.params["pageSize"] == 3
    assert len(rows) == 2
    assert len(whole) == 8
