"""A staged person becomes the payload DHIS2 accepts, on either server alike."""

from __future__ import annotations

from builders import (
    CLINIC,
    NAME,
    NATIONAL_ID,
    SURVEILLANCE,
    WEIGHT,
    enrollment,
    event,
    lone_event,
    lone_trees,
    person,
    tree,
    trees,
)
from tracker_sync.bundles import as_bundles, as_tree


def test_a_person_becomes_a_nested_payload_without_server_owned_fields() -> None:
    payload = tree().payload

    (course,) = payload["enrollments"]
    (visit,) = course["events"]
    assert payload["attributes"] == [{"attribute": NAME, "value": "Awa"}]
    assert {item["attribute"] for item in course["attributes"]} == {NAME, NATIONAL_ID}
    assert visit["dataValues"] == [
        {"dataElement": WEIGHT, "value": "33.3", "providedElsewhere": False}
    ]
    for part in (payload, course, visit):
        assert not {"createdAt", "updatedAt", "deleted", "createdBy"} & part.keys()


def test_every_scalar_is_sent_because_leaving_one_out_resets_it() -> None:
    payload = tree(geometry={"type": "Point", "coordinates": [1.5, 2]}).payload

    assert payload["inactive"] is False
    assert payload["potentialDuplicate"] is False
    assert payload["geometry"] == {"type": "Point", "coordinates": [1.5, 2]}
    assert payload["enrollments"][0]["followUp"] is False
    assert payload["enrollments"][0]["status"] == "ACTIVE"


def test_business_dates_stay_the_text_that_came() -> None:
    visit = tree().payload["enrollments"][0]["events"][0]

    assert visit["occurredAt"] == "2026-03-29T00:00:00.000"


def test_a_stale_stamp_of_completion_is_not_sent() -> None:
    stamp = "2026-05-15T13:18:00.000"
    done = enrollment(status="CANCELLED", completedAt=stamp, events=[event(completedAt=stamp)])

    course = tree(enrollments=[done]).payload["enrollments"][0]

    assert course["completedAt"] == stamp
    assert "completedAt" not in course["events"][0]


def test_a_tombstone_is_a_version_and_not_a_payload() -> None:
    gone = event("event000002", deleted=True)
    read = tree(enrollments=[enrollment(events=[event(), gone])])

    events = read.payload["enrollments"][0]["events"]
    assert [item["event"] for item in events] == ["event000001"]
    assert {(v.uid, v.deleted) for v in read.versions if v.kind == "EVENT"} == {
        ("event000001", False),
        ("event000002", True),
    }


def test_a_deleted_person_has_no_payload_and_nothing_below_lives() -> None:
    read = tree(deleted=True)

    assert read.payload == {}
    assert {version.deleted for version in read.versions} == {True}
    assert len(read.versions) == 3


def test_an_event_of_a_deleted_enrollment_is_deleted_though_its_flag_says_no() -> None:
    read = tree(enrollments=[enrollment(deleted=True, events=[event(deleted=False)])])

    assert {v.kind for v in read.versions if v.deleted} == {"ENROLLMENT", "EVENT"}


def test_nobody_gets_what_is_anothers() -> None:
    first = person("person00001")
    second = person(
        "person00002",
        attributes=[],
        enrollments=[enrollment("enroll00002", events=[event("event000002", dataValues=[])])],
    )

    one, two = trees(first, second)

    assert one.payload["attributes"]
    assert two.payload["attributes"] == []
    assert two.payload["enrollments"][0]["events"][0]["dataValues"] == []
    assert {v.uid for v in two.versions} == {"person00002", "enroll00002", "event000002"}


def test_enrollments_of_programs_that_are_not_the_routes_are_left_out() -> None:
    other = enrollment("enroll00002", program="programMAT1", events=[event("event000002")])

    read = tree(enrollments=[enrollment(), other])

    assert [item["enrollment"] for item in read.payload["enrollments"]] == ["enroll00001"]
    assert "event000002" not in {v.uid for v in read.versions}


def test_an_event_without_registration_is_a_tree_of_its_own() -> None:
    (only,) = lone_trees(lone_event(scheduledAt="2026-03-29T00:00:00.000"))

    assert (only.kind, only.uid, only.program) == ("EVENT", "event000001", SURVEILLANCE)
    assert only.tracked_entity is None
    assert only.payload["program"] == SURVEILLANCE
    assert only.payload["orgUnit"] == CLINIC
    assert only.payload["dataValues"][0]["value"] == "33.3"
    assert not {"enrollment", "trackedEntity", "scheduledAt"} & only.payload.keys()
    assert [(v.kind, v.uid, v.deleted) for v in only.versions] == [("EVENT", only.uid, False)]


def test_a_tombstone_of_an_event_without_registration_is_a_version_without_payload() -> None:
    gone, living = lone_trees(lone_event(deleted=True), lone_event("event000002"))

    assert gone.payload == {}
    assert [version.deleted for version in gone.versions] == [True]
    assert living.payload["event"] == "event000002"


def test_events_without_registration_keep_their_own_values() -> None:
    one, two = lone_trees(lone_event(), lone_event("event000002", dataValues=[]))

    assert one.payload["dataValues"]
    assert two.payload["dataValues"] == []


def test_bundles_hold_a_tree_whole() -> None:
    grown = trees(person(), person("person00002", deleted=True, enrollments=[]))
    grown += lone_trees(lone_event(), lone_event("event000002", deleted=True))

    rows = as_bundles(grown).to_pylist()

    assert [as_tree(row) for row in rows] == grown
    assert [row["tracked_entity"] for row in rows] == ["person00001", "person00002", None, None]
