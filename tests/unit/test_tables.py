"""What came nested lies flat: nothing is lost on the way, and nothing stands under another."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from builders import CLINIC, PROGRAM, STAMP, WEIGHT, enrollment, event, event_page, page, person
from dhis2_api.dialects import dialect_of
from dhis2_api.paging import envelope_of
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import (
    EVENT_ROW,
    PERSON_ROW,
    TABLES,
    Tables,
    flatten,
    flatten_events,
)


SURVEILLANCE = "programSurv"


def people(*given: dict[str, Any]) -> Tables:
    envelope = envelope_of(dialect_of("2.42.4"), "trackedEntities")
    return flatten(parse_page(page(*given), envelope, PERSON_ROW, what="test").rows, [PROGRAM])


def events(*given: dict[str, Any]) -> Tables:
    envelope = envelope_of(dialect_of("2.42.4"), "events")
    return flatten_events(parse_page(event_page(*given), envelope, EVENT_ROW, what="test").rows)


def note(uid: str) -> dict[str, Any]:
    return {"note": uid, "value": "rappeler", "storedAt": STAMP, "createdBy": {"username": "awa"}}


def test_people_and_events_fill_the_same_tables() -> None:
    for tables in (people(person()), events(event(program=SURVEILLANCE))):
        assert {name: table.schema for name, table in tables.items()} == TABLES


def test_an_event_of_a_person_has_the_program_of_its_enrollment() -> None:
    tables = people(person())

    assert tables["events"].select(["trackedEntity", "enrollment", "program"]).to_pylist() == [
        {"trackedEntity": "person00001", "enrollment": "enroll00001", "program": PROGRAM}
    ]


def test_an_event_without_registration_stands_under_nobody() -> None:
    given = event(
        program=SURVEILLANCE, enrollment="hidden00001", notes=[note("noteEvent01")], deleted=True
    )

    tables = events(given)

    (row,) = tables["events"].to_pylist()
    assert (row["program"], row["event"], row["deleted"]) == (SURVEILLANCE, "event000001", True)
    for name in ("events", "data_values", "notes"):
        assert tables[name].num_rows == 1
        assert tables[name]["trackedEntity"].null_count == 1
    assert {row["enrollment"], *tables["notes"]["enrollment"].to_pylist()} == {None}
    assert tables["data_values"]["dataElement"].to_pylist() == [WEIGHT]
    empty = TABLES.keys() - {"events", "data_values", "notes"}
    assert {tables[name].num_rows for name in empty} == {0}


def test_a_note_stands_under_its_enrollment_or_its_event() -> None:
    given = enrollment(
        notes=[note("noteEnroll1")],
        events=[event(notes=[note("noteEvent01")]), event("event000002")],
    )

    notes = people(person(enrollments=[given]))["notes"]

    places = notes.select(["note", "trackedEntity", "enrollment", "event"]).to_pylist()
    assert [tuple(place.values()) for place in places] == [
        ("noteEnroll1", "person00001", "enroll00001", None),
        ("noteEvent01", "person00001", "enroll00001", "event000001"),
    ]
    assert notes["value"].to_pylist() == ["rappeler"] * 2
    assert notes["createdBy"].to_pylist() == ["awa"] * 2
    assert pa.types.is_timestamp(notes["storedAt"].type)


def test_what_belongs_to_another_routes_program_is_left_out() -> None:
    elsewhere = {"program": "programOth1", "orgUnit": CLINIC}
    other = enrollment("enroll00002", program="programOth1", notes=[note("noteOther01")])
    here = {"program": PROGRAM, "orgUnit": CLINIC}

    tables = people(person(programOwners=[elsewhere, here], enrollments=[other, enrollment()]))

    assert tables["owners"].to_pylist() == [{"trackedEntity": "person00001", **here}]
    assert tables["enrollments"]["enrollment"].to_pylist() == ["enroll00001"]
    assert tables["events"].num_rows == 1
    assert tables["notes"].num_rows == 0
