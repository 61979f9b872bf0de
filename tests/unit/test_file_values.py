"""A value that names a file is found, and a person's file is the person's everywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import MODEL, NAME, PROGRAM, enrollment, event, person, staged
from dhis2_api.importer import Ref
from tracker_sync.bundling.projection import Projection
from tracker_sync.planning.objects import Object, as_bundles, payload, trees_of
from tracker_sync.staging.file_values import file_values
from tracker_sync.staging.tables import Tables


PHOTO, CONSENT, REPORT = "attrPhoto01", "attrConsen1", "elemReport1"
FILE, OTHER = "filePhoto01", "fileOther01"
WITH_FILES = replace(
    MODEL,
    files={PHOTO: "IMAGE", CONSENT: "FILE_RESOURCE", REPORT: "FILE_RESOURCE"},
    program_attributes={PROGRAM: frozenset({NAME, PHOTO, CONSENT})},
)


def tables(**changes: Any) -> Tables:
    return staged(person(**changes))


def objects(**changes: Any) -> dict[Ref, Object]:
    projection = Projection.of(WITH_FILES)
    (tree,) = trees_of(as_bundles(tables(**changes), projection))
    return {item.ref: item for item in tree.objects}


def test_a_person_has_the_files_that_an_enrollment_shows_and_the_enrollment_has_none() -> None:
    named = [{"attribute": NAME, "value": "Awa"}, {"attribute": PHOTO, "value": FILE}]
    twice = [enrollment(attributes=named), enrollment("enroll00002", attributes=named, events=[])]

    held = objects(enrollments=twice)

    (awa,) = (item for ref, item in held.items() if ref.kind == "TRACKED_ENTITY")
    enrolled = [item for ref, item in held.items() if ref.kind == "ENROLLMENT"]
    assert {"attribute": PHOTO, "value": FILE} in payload(awa)["attributes"]
    assert len(payload(awa)["attributes"]) == 2
    assert len(enrolled) == 2
    assert {item["attribute"] for one in enrolled for item in payload(one)["attributes"]} == {NAME}


def test_each_file_is_named_with_what_has_it_and_the_program_that_shows_it() -> None:
    values = [{"dataElement": REPORT, "value": OTHER}]
    shown = [{"attribute": CONSENT, "value": FILE}, {"attribute": NAME, "value": "Awa"}]

    rows = file_values(
        tables(enrollments=[enrollment(attributes=shown, events=[event(dataValues=values)])]),
        WITH_FILES,
    ).to_pylist()

    assert rows == [
        {
            "kind": "TRACKED_ENTITY",
            "uid": "person00001",
            "tracked_entity": "person00001",
            "file": FILE,
            "named_by": CONSENT,
            "program": PROGRAM,
            "image": False,
        },
        {
            "kind": "EVENT",
            "uid": "event000001",
            "tracked_entity": "person00001",
            "file": OTHER,
            "named_by": REPORT,
            "program": "",
            "image": False,
        },
    ]


def test_what_the_persons_type_has_needs_no_program_though_an_enrollment_shows_it_too() -> None:
    photo = {"attribute": PHOTO, "value": FILE}

    rows = file_values(
        tables(attributes=[photo], enrollments=[enrollment(attributes=[photo])]), WITH_FILES
    ).to_pylist()

    assert [(row["file"], row["program"], row["image"]) for row in rows] == [(FILE, "", True)]


def test_a_value_that_is_no_uid_names_no_file_and_makes_no_address() -> None:
    odd = ["", "short", "../../api/me", "twelveTwelve", "1234567890a", f"{FILE}\n"]
    values = [{"dataElement": REPORT, "value": value} for value in odd]

    rows = file_values(
        tables(enrollments=[enrollment(events=[event(dataValues=values)])]), WITH_FILES
    )

    assert rows.num_rows == 0
