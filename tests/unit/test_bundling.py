"""What kernels of Arrow make is what is made by hand, whatever the values are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    EVENTS,
    MODEL,
    NAME,
    NATIONAL_ID,
    NOTE,
    STAGE,
    TYPE,
    WEIGHT,
    enrollment,
    event,
    event_page,
    lone_event,
    person,
    staged,
)
from plain_bundles import by_hand
from tracker_sync.bundling.projection import Projection
from tracker_sync.planning.objects import as_bundles
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import EVENT_ROW, Tables, flatten_events


PROJECTION = Projection.of(
    replace(
        MODEL,
        no_assignee=frozenset({"stageNobody"}),
        option_combos={"comboSource": "comboDeflt1"},
    )
)

_ODD = st.text(st.sampled_from('aé"\\\0\n\x1f\x7f/u0\U0001f60a '), max_size=8)
_TEXTS = st.one_of(_ODD, st.text(max_size=6), st.sampled_from(["", "\\u0000", "\\\0", "33.3"]))
_FLAGS = st.booleans()
_MAYBE = st.none() | _TEXTS
_STAMPS = st.sampled_from(["2026-01-01T00:00:00.000", "2026-01-02T00:00:00.000"])
_PLACES = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-180, 180)
_POINTS = st.none() | st.builds(
    lambda x, y: {"type": "Point", "coordinates": [x, y]}, _PLACES, _PLACES
)
_ATTRIBUTES = st.sampled_from([NAME, NATIONAL_ID, "attrOther01", "é\"'"])
_ELEMENTS = st.sampled_from([WEIGHT, NOTE, "elemOther01"])


def changed(make: Any, key: str, uids: list[str], **fields: Any) -> Any:
    given_ = {key: st.sampled_from(uids), "updatedAt": _STAMPS, "deleted": _FLAGS, **fields}
    return st.fixed_dictionaries(
        {**given_, "geometry": _POINTS, "createdAtClient": _MAYBE, "orgUnit": _TEXTS}
    ).map(lambda fields: make(**{"uid": fields.pop(key), **fields}))


def attributes() -> Any:
    return st.lists(st.fixed_dictionaries({"attribute": _ATTRIBUTES, "value": _TEXTS}), max_size=4)


def events(make: Any, uids: list[str]) -> Any:
    value = {"dataElement": _ELEMENTS, "value": _TEXTS, "providedElsewhere": st.none() | _FLAGS}
    return changed(
        make,
        "event",
        uids,
        status=st.sampled_from(
            ["ACTIVE", "COMPLETED", "VISITED", "SCHEDULE", "OVERDUE", "SKIPPED"]
        ),
        completedAt=_MAYBE,
        scheduledAt=_MAYBE,
        programStage=st.sampled_from([STAGE, "stageNobody"]),
        assignedUser=st.none() | st.fixed_dictionaries({"username": _TEXTS}),
        dataValues=st.lists(st.fixed_dictionaries(value), max_size=4),
    )


def people(number: int) -> Any:
    below = changed(
        enrollment,
        "enrollment",
        [f"enroll{number}{index:04}" for index in range(2)],
        status=st.sampled_from(["ACTIVE", "COMPLETED", "CANCELLED"]),
        completedAt=_MAYBE,
        occurredAt=_MAYBE,
        attributeOptionCombo=st.sampled_from([None, "comboDeflt1", "comboOther1"]),
        followUp=st.none() | _FLAGS,
        attributes=attributes(),
        events=st.lists(events(event, [f"event{number}00{i:03}" for i in range(4)]), max_size=4),
    )
    return changed(
        person,
        "trackedEntity",
        [f"person{number}0000"],
        trackedEntityType=st.sampled_from([TYPE, "typeOther01"]),
        inactive=_FLAGS,
        attributes=attributes(),
        enrollments=st.lists(below, max_size=3),
    )


def staged_events(*given_: Any) -> Tables:
    rows = parse_page(event_page(*given_), EVENTS, EVENT_ROW, what="test").rows
    return flatten_events(rows)


def assert_alike(tables: Tables) -> None:
    ours, theirs = as_bundles(tables, PROJECTION), by_hand(tables, PROJECTION)
    assert ours.schema == theirs.schema
    assert ours.num_rows
    assert ours.to_pylist() == theirs.to_pylist()


@given(st.tuples(people(1), people(2)))
def test_people_become_by_kernels_what_they_become_by_hand(given_: Any) -> None:
    assert_alike(staged(*given_))


@given(st.lists(events(lone_event, [f"event{i:06}" for i in range(5)]), min_size=1, max_size=5))
def test_so_do_events_without_registration(given_: Any) -> None:
    assert_alike(staged_events(*given_))


def test_tables_in_pieces_become_the_same() -> None:
    second = person("person00002", enrollments=[enrollment("enroll00002", events=[])])
    tables = staged(person(), second)
    pieces = {
        name: pa.concat_tables([table.slice(0, 1), table.slice(1)])
        for name, table in tables.items()
    }
    assert pieces["tracked_entities"]["deleted"].num_chunks == 2

    assert as_bundles(pieces, PROJECTION).equals(as_bundles(tables, PROJECTION))


def test_nobody_staged_is_no_bundle() -> None:
    assert as_bundles(staged(), PROJECTION).num_rows == 0
    assert as_bundles(staged_events(), PROJECTION).num_rows == 0


def test_what_belongs_to_nobody_is_no_part_of_a_closed_set() -> None:
    tables = dict(staged(person()))
    tables["tracked_entities"] = tables["tracked_entities"].slice(0, 0)

    with pytest.raises(ValueError, match="belong to no trackedEntity"):
        as_bundles(tables, PROJECTION)


def test_a_geometry_that_is_no_json_is_refused_with_its_object_alone() -> None:
    tables = dict(staged(person(geometry={"type": "Point", "coordinates": [1, 2]})))
    people_ = tables["tracked_entities"]
    place = people_.column_names.index("geometry")

    for text in ("{", '{"type":"Point","coordinates":[1e999,2]}', "[" * 5_000):
        tables["tracked_entities"] = people_.set_column(place, "geometry", pa.array([text]))
        (row,) = as_bundles(tables, PROJECTION).to_pylist()
        codes = [item["code"] for item in row["objects"]]
        assert codes == ["SYNC_GEOMETRY_UNREADABLE", None, None]
        assert row["objects"][0]["content"] is None
