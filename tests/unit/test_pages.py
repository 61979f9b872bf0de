"""A page is read whole or refused; it is never taken for an empty one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import PEOPLE, page, person
from dhis2_api.errors import UnexpectedAnswer
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import PERSON_ROW


TRICKY = 'say "geometry":{"x"} \\ \n\t“N\'Deye” العربية 😀'

NOT_PAGES = {
    "nothing": b"",
    "a web page": b"<!doctype html><html></html>",
    "a list": b"[]",
    "an error": b'{"httpStatus": "Conflict", "status": "ERROR"}',
    "no rows": b'{"pager": {"page": 1}}',
    "null rows": b'{"pager": {"page": 1}, "trackedEntities": null}',
    "no pager": b'{"trackedEntities": []}',
    "the rows of another version": b'{"pager": {"page": 1}, "instances": []}',
    "nobody, on a page without a number": b'{"pager": {"page": null}, "trackedEntities": []}',
    "nobody, on a page of a text": b'{"pager": {"page": "1"}, "trackedEntities": []}',
    "nobody, on a page that is true": b'{"pager": {"page": true}, "trackedEntities": []}',
    "nobody, and a list for a pager": b'{"pager": [], "trackedEntities": []}',
    "an object for rows": b'{"pager": {"page": 1}, "trackedEntities": {}}',
    "a number for a UID": b'{"pager": {"page": 1}, "trackedEntities": [{"trackedEntity": 1}]}',
    "two pages": page(person()) * 2,
    "no UTF-8": page(person()).replace(b"Awa", b"\xff\xfe"),
}


@pytest.mark.parametrize("body", NOT_PAGES.values(), ids=NOT_PAGES.keys())
def test_what_is_no_page_is_an_unexpected_answer(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer) as error:
        parse_page(body, PEOPLE, PERSON_ROW, what="GET list")

    assert "Awa" not in str(error.value)


@given(cut=st.integers(min_value=0, max_value=len(page(person())) - 1))
def test_a_page_cut_anywhere_is_found_out(cut: int) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_page(page(person())[:cut], PEOPLE, PERSON_ROW, what="GET list")


def test_an_empty_page_is_an_empty_page() -> None:
    parsed = parse_page(page(number=4), PEOPLE, PERSON_ROW, what="GET list")

    assert (len(parsed.rows), parsed.number, parsed.goes_on) == (0, 4, False)


def test_a_page_of_nobody_may_say_that_others_follow() -> None:
    body = b'{"pager": {"page": 2, "pageCount": 3, "nextPage": "x"}, "trackedEntities": []}'

    parsed = parse_page(body, PEOPLE, PERSON_ROW, what="GET list")

    assert (parsed.number, parsed.goes_on, parsed.pages) == (2, True, 3)
    assert parsed.rows.type == PERSON_ROW


def test_values_come_through_byte_for_byte_whatever_they_look_like() -> None:
    given_person = person(attributes=[{"attribute": "attrName001", "value": TRICKY}])

    (row,) = parse_page(page(given_person), PEOPLE, PERSON_ROW, what="GET list").rows.to_pylist()

    assert row["attributes"][0]["value"] == TRICKY


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [-16.93484, 15.44199]},
        {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}]},
    ],
    ids=lambda geometry: geometry["type"],
)
def test_a_geometry_stays_the_text_that_came(geometry: dict[str, object]) -> None:
    (row,) = parse_page(
        page(person(geometry=geometry)), PEOPLE, PERSON_ROW, what="GET list"
    ).rows.to_pylist()

    assert json.loads(row["geometry"]) == geometry


def test_a_key_that_only_ends_as_a_geometry_is_none() -> None:
    point = {"type": "Point", "coordinates": [1, 2]}
    given_person = person(geometry=point, oldgeometry={"type": 'geometry": {', "coordinates": []})

    (row,) = parse_page(page(given_person), PEOPLE, PERSON_ROW, what="GET list").rows.to_pylist()

    assert json.loads(row["geometry"]) == point
    assert "oldgeometry" not in row
