"""Is every change of every field found, and named as that field?

The objects are those that real servers exported
(recordings: 022-program-metadata-HIV to 025-program-metadata-SURV).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from metadata.objects import Fields
from tracker_sync.metadata.canonical import sendable
from tracker_sync.metadata.classes import JOINED_BY, NUMBERED, ORDERED
from tracker_sync.metadata.difference import difference
from tracker_sync.metadata.portion import LEFT_OUT
from tracker_sync.metadata.sides import Sides


RECORDED = Path(__file__).parent / "recorded"
SIDES = Sides("2.43", "2.43", reached=frozenset({"hhZqjkb21gq", "GwTj6qZdrlX", "YGeDprhfds1"}))
OTHER = {"id": "otherObj001"}


def one_of_each() -> Iterator[tuple[str, Fields]]:
    """Give the objects of each class that have the most to say."""
    whole = json.loads((RECORDED / "2.43.1.json").read_text())
    found: dict[str, Fields] = {}
    for classes in whole.values():
        for plural, objects in classes.items():
            fullest = max(objects, key=lambda fields: len(json.dumps(fields)))
            if len(json.dumps(fullest)) > len(json.dumps(found.get(plural, {}))):
                found[plural] = fullest
    yield from found.items()


OBJECTS = dict(one_of_each())
FIELDS = [
    (plural, name)
    for plural, fields in OBJECTS.items()
    for name in sendable(fields)
    if name not in {"id", "sharing", *LEFT_OUT, *NUMBERED.get(plural, ())}
]


def changed(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 7
    if isinstance(value, str):
        return f"{value}x"
    return OTHER if isinstance(value, dict) else [*value, OTHER]


def mutated(plural: str, name: str, value: Any) -> Fields:
    row: Fields = {JOINED_BY[name]: OTHER, "sortOrder": 99} if name in JOINED_BY else OTHER
    if name == "translations":
        row = {"locale": "pt", "property": "NAME", "value": "x"}
    new = [*value, row] if isinstance(value, list) else changed(value)
    return deepcopy(OBJECTS[plural]) | {name: new}


def held(plural: str, fields: Fields) -> dict[str, dict[str, Fields]]:
    return {plural: {fields["id"]: fields}}


def test_there_is_much_to_change() -> None:
    assert len(OBJECTS) >= 14
    assert len(FIELDS) > 120


@pytest.mark.parametrize(("plural", "name"), FIELDS)
def test_a_changed_field_is_named_as_changed_or_clashing(plural: str, name: str) -> None:
    theirs = OBJECTS[plural]
    ours = mutated(plural, name, theirs[name])

    found = difference(held(plural, ours), held(plural, theirs), SIDES)

    named = {field for row in found.rows() for field in row["fields"]}
    assert named == {name}
    assert {row["kind"] for row in found.rows()} <= {"changed", "clashing"}


ROWS = [(plural, name) for plural, name in FIELDS if name in JOINED_BY and OBJECTS[plural][name]]


@pytest.mark.parametrize(("plural", "name"), ROWS)
def test_a_changed_field_of_a_row_is_named_by_its_list(plural: str, name: str) -> None:
    theirs = OBJECTS[plural]
    row = theirs[name][0]
    content = [key for key in sendable({name: [row]})[name][0] if key != JOINED_BY[name]]
    assert len(content) >= 3
    for key in set(content) - {"sortOrder", "style", "renderType"}:
        ours = deepcopy(theirs)
        ours[name][0][key] = changed(row[key])

        (change,) = difference(held(plural, ours), held(plural, theirs), SIDES).changes

        assert change.fields == (name,)


LISTS = [
    (plural, name)
    for plural, name in FIELDS
    if isinstance(OBJECTS[plural][name], list) and OBJECTS[plural][name] and name != "translations"
]


@pytest.mark.parametrize(("plural", "name"), LISTS)
def test_what_a_list_lost_at_the_source_is_gone_and_in_a_mirror_a_change(
    plural: str, name: str
) -> None:
    theirs = OBJECTS[plural]
    ours = deepcopy(theirs)
    ours[name] = ours[name][1:]

    kept = difference(held(plural, ours), held(plural, theirs), SIDES)
    mirror = Sides("2.43", "2.43", mirror=True, reached=SIDES.reached)
    (change,) = difference(held(plural, ours), held(plural, theirs), mirror).changes

    assert [gone.field for gone in kept.gone] == [name]
    assert kept.changes == ()
    assert change.fields == (name,)


SORTED = [
    (plural, name)
    for plural, name in FIELDS
    if name in ORDERED.get(plural, ()) and len(OBJECTS[plural][name]) > 1
]


@pytest.mark.parametrize(("plural", "name"), SORTED)
def test_another_order_is_a_change_where_order_is_content(plural: str, name: str) -> None:
    theirs = OBJECTS[plural]
    ours = deepcopy(theirs)
    ours[name] = ours[name][::-1]

    (change,) = difference(held(plural, ours), held(plural, theirs), SIDES).changes

    assert change.fields == (name,)


def test_order_is_tried_where_there_is_any() -> None:
    assert len(SORTED) >= 2
    assert len(LISTS) >= 6
    assert len(ROWS) >= 3
