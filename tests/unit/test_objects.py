"""What was read becomes one canonical text an object: equal texts, and only they, are no change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from builders import (
    CLINIC,
    EVENTS,
    MODEL,
    NAME,
    NATIONAL_ID,
    NOTE,
    PEOPLE,
    PROGRAM,
    STAGE,
    SURVEILLANCE,
    TYPE,
    WEIGHT,
    enrollment,
    event,
    event_page,
    lone_event,
    page,
    person,
)
from dhis2_api.importer import Ref
from tracker_sync.bundling.projection import Projection
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.objects import Object, Tree, as_bundles, payload, trees_of
from tracker_sync.planning.plan import Planned
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import EVENT_ROW, PERSON_ROW, flatten, flatten_events


PROJECTION = Projection.of(MODEL)
PERSON = Ref("TRACKED_ENTITY", "person00001")
ENROLLMENT = Ref("ENROLLMENT", "enroll00001")
EVENT = Ref("EVENT", "event000001")


def trees(*people: Any, projection: Projection = PROJECTION) -> list[Tree]:
    rows = parse_page(page(*people), PEOPLE, PERSON_ROW, what="test").rows
    return [*trees_of(as_bundles(flatten(rows, [PROGRAM]), projection))]


def lone_trees(*events: Any) -> list[Tree]:
    rows = parse_page(event_page(*events), EVENTS, EVENT_ROW, what="test").rows
    return [*trees_of(as_bundles(flatten_events(rows), PROJECTION))]


def objects(**changes: Any) -> dict[Ref, Object]:
    (only,) = trees(person(**changes))
    found = {item.ref: item for item in only.objects}
    assert found
    assert len(found) == len(only.objects)
    return found


def of_event(**changes: Any) -> Object:
    return objects(enrollments=[enrollment(events=[event(**changes)])])[EVENT]


def content(item: Object) -> Any:
    assert item.content is not None
    return json.loads(item.content)


def test_a_person_becomes_flat_objects_that_name_their_parents() -> None:
    found = objects()

    assert [*found] == [PERSON, ENROLLMENT, EVENT]
    assert [item.parent for item in found.values()] == [None, PERSON, ENROLLMENT]
    assert content(found[ENROLLMENT])["trackedEntity"] == PERSON.uid
    assert content(found[EVENT])["enrollment"] == ENROLLMENT.uid
    assert not {"enrollments", "events"} & content(found[PERSON]).keys()


def test_server_owned_fields_are_left_out() -> None:
    for item in objects().values():
        assert not {"createdAt", "updatedAt", "deleted", "createdBy"} & content(item).keys()


def test_every_scalar_is_there_because_leaving_one_out_resets_it() -> None:
    found = objects(geometry={"type": "Point", "coordinates": [1.5, 2]})

    assert content(found[PERSON])["inactive"] is False
    assert content(found[PERSON])["potentialDuplicate"] is False
    assert content(found[PERSON])["geometry"] == {"type": "Point", "coordinates": [1.5, 2]}
    assert content(found[ENROLLMENT])["followUp"] is False
    assert content(found[ENROLLMENT])["status"] == "ACTIVE"


def test_the_text_is_the_same_whatever_order_a_server_gives() -> None:
    values = [{"dataElement": WEIGHT, "value": "1"}, {"dataElement": NOTE, "value": "x"}]
    point = {"type": "Point", "coordinates": [1, 2.50]}
    turned = {"coordinates": [1.0, 2.5], "type": "Point"}

    one = of_event(dataValues=values, geometry=point)
    two = of_event(dataValues=values[::-1], geometry=turned)

    assert one.content == two.content
    assert one.content_hash == two.content_hash
    assert list(content(one)) == sorted(content(one))


def test_a_person_has_the_attributes_of_the_type_and_confidential_ones_and_no_others() -> None:
    listed = [{"attribute": uid, "value": "1"} for uid in (NATIONAL_ID, NAME, "attrSecret1")]
    secret = Projection.of(replace(MODEL, confidential=frozenset({"attrSecret1"})))
    everything = Projection.of(replace(MODEL, type_attributes={}))

    def attributes(projection: Projection) -> list[str]:
        (only,) = trees(person(attributes=listed), projection=projection)
        return [item["attribute"] for item in content(only.objects[0])["attributes"]]

    assert TYPE in MODEL.type_attributes
    assert attributes(PROJECTION) == [NAME]
    assert attributes(secret) == [NAME, "attrSecret1"]
    assert attributes(everything) == [NAME, NATIONAL_ID, "attrSecret1"]


def test_a_value_that_is_empty_is_none() -> None:
    empty = of_event(dataValues=[{"dataElement": WEIGHT, "value": ""}])

    assert content(empty)["dataValues"] == []


def test_business_dates_stay_the_text_that_came() -> None:
    assert content(of_event())["occurredAt"] == "2026-03-29T00:00:00.000"


def test_an_enrollment_without_a_date_of_incident_gets_its_own_as_dhis2_gives_it() -> None:
    found = objects(enrollments=[enrollment(occurredAt=None)])

    day = content(found[ENROLLMENT])["enrolledAt"]
    assert content(found[ENROLLMENT])["occurredAt"] == day


@pytest.mark.parametrize(
    ("combo", "enrolled_options", "sent"),
    [
        ("comboOther1", True, "comboOther1"),
        ("comboDeflt1", True, None),
        ("comboOther1", False, None),
        (None, True, None),
    ],
)
def test_an_enrollment_names_its_category_options_where_they_mean_something(
    combo: str | None, sent: str | None, *, enrolled_options: bool
) -> None:
    model = replace(
        MODEL,
        option_combos={"comboSource": "comboDeflt1"},
        enrolled_options=enrolled_options,
    )
    given = person(enrollments=[enrollment(attributeOptionCombo=combo)])

    (only,) = trees(given, projection=Projection.of(model))

    assert content(only.objects[1]).get("attributeOptionCombo") == sent


def test_what_was_visited_is_active_as_every_server_gives_it_back() -> None:
    assert of_event(status="VISITED").content == of_event(status="ACTIVE").content


def test_a_stamp_of_completion_is_sent_where_its_status_allows_and_never_compared() -> None:
    stamp = "2026-05-15T13:18:00.000"
    done = enrollment(status="CANCELLED", completedAt=stamp, events=[event(completedAt=stamp)])

    found = objects(enrollments=[done])

    assert found[ENROLLMENT].beside == f'"completedAt":"{stamp}"'
    assert payload(found[ENROLLMENT])["completedAt"] == stamp
    assert found[EVENT].beside is None
    for item in found.values():
        assert "completedAt" not in content(item)


def test_an_assigned_user_is_named_by_user_name() -> None:
    given = of_event(assignedUser={"username": "awa", "uid": "userAwa0001"})

    assert content(given)["assignedUser"] == {"username": "awa"}
    assert "assignedUser" not in content(of_event())


def test_nobody_is_assigned_in_a_stage_where_dhis2_ignores_it() -> None:
    given = person(enrollments=[enrollment(events=[event(assignedUser={"username": "awa"})])])
    ignoring = Projection.of(replace(MODEL, no_assignee=frozenset({STAGE})))

    (allowed,), (ignored,) = trees(given), trees(given, projection=ignoring)

    assert "assignedUser" in content(allowed.objects[2])
    assert "assignedUser" not in content(ignored.objects[2])


def test_a_tombstone_has_no_content() -> None:
    gone = event("event000002", deleted=True)
    found = objects(enrollments=[enrollment(events=[event(), gone])])

    tombstone = found[Ref("EVENT", "event000002")]
    assert (tombstone.deleted, tombstone.content, tombstone.content_hash) == (True, None, None)
    assert not found[EVENT].deleted


def test_nothing_lives_below_what_is_deleted_whatever_its_flag_says() -> None:
    person_gone = objects(deleted=True)
    enrollment_gone = objects(enrollments=[enrollment(deleted=True, events=[event()])])

    assert {item.deleted for item in person_gone.values()} == {True}
    assert {ref for ref, item in enrollment_gone.items() if item.deleted} == {ENROLLMENT, EVENT}


def test_an_object_that_came_twice_is_there_once_as_its_newest_stamp_has_it() -> None:
    old = event(status="ACTIVE", updatedAt="2026-01-01T00:00:00.000")
    new = event(status="COMPLETED", updatedAt="2026-01-02T00:00:00.000")

    for pair in ([old, new], [new, old]):
        found = objects(enrollments=[enrollment(events=pair)])
        assert content(found[EVENT])["status"] == "COMPLETED"


def test_what_postgresql_cannot_hold_is_refused_and_its_neighbours_are_not() -> None:
    bad = event("event000002", dataValues=[{"dataElement": NOTE, "value": "a\0b"}])

    found = objects(enrollments=[enrollment(events=[event(), bad])])

    refused = found[Ref("EVENT", "event000002")]
    assert (refused.code, refused.content, refused.deleted) == ("SYNC_NUL_CHARACTER", None, False)
    assert found[EVENT].code is None
    assert found[EVENT].content


def test_a_text_that_only_speaks_of_that_character_is_sent() -> None:
    spoken = of_event(dataValues=[{"dataElement": NOTE, "value": "\\u0000"}])

    assert spoken.code is None
    assert content(spoken)["dataValues"][0]["value"] == "\\u0000"


def test_nobody_gets_what_is_anothers() -> None:
    second = person(
        "person00002",
        attributes=[],
        enrollments=[enrollment("enroll00002", events=[event("event000002", dataValues=[])])],
    )

    one, two = trees(person(), second)

    assert {item.ref.uid for item in two.objects} == {"person00002", "enroll00002", "event000002"}
    assert content(one.objects[0])["attributes"]
    assert content(two.objects[0])["attributes"] == []
    assert content(two.objects[2])["dataValues"] == []


def test_an_event_without_registration_is_a_tree_of_its_own() -> None:
    one, two = lone_trees(
        lone_event(scheduledAt="2026-03-29T00:00:00.000"),
        lone_event("event000002", dataValues=[], deleted=True),
    )

    (only,) = one.objects
    assert (one.kind, one.uid, one.program, one.tracked_entity) == (
        *("EVENT", "event000001", SURVEILLANCE),
        None,
    )
    assert content(only)["program"] == SURVEILLANCE
    assert content(only)["orgUnit"] == CLINIC
    assert not {"enrollment", "trackedEntity", "scheduledAt"} & content(only).keys()
    assert [item.deleted for item in two.objects] == [True]


def test_neither_an_object_nor_what_is_planned_of_it_shows_what_it_says() -> None:
    said = '{"attributes":[{"attribute":"igrbHRNTbIn","value":"Canarielle"}]}'
    stamp = datetime(2026, 3, 24)  # noqa: DTZ001 - stamps have no zone
    shown = Object(PERSON, None, stamp, deleted=False, content=said, beside=None, content_hash="h")
    line = Entry(PERSON, PERSON.uid, Outcome.MISSING)

    assert "person00001" in repr(shown)
    assert "Canarielle" not in repr([shown, Planned(line, said, None, shown)])
