"""What happens to people at the source happens at the destination, on each version of DHIS2."""

from __future__ import annotations

from typing import Any

import pytest

from flows.expected import assert_equal, began_with
from flows.people import (
    AWA,
    BINTA,
    CONTACT,
    COUMBA,
    FIRST_NAME,
    LABORATORY,
    LAST_NAME,
    MBOUR,
    NATIONAL_ID,
    PHONE,
    PHOTO,
    PODOR,
    REGIMEN,
    REPORT,
    WEIGHT,
    case,
    contact,
    enrollment,
    enrollment_of,
    event_of,
    person,
    pregnancy,
    vaccination,
    visit,
)
from flows.world import World
from servers import HIV, MATERNAL
from tracker_sync.runs.report_text import report_lines


Json = dict[str, Any]

FIRST_REPORT, SECOND_REPORT, PORTRAIT = "FileReport1", "FileReport2", "FilePhoto01"


def test_everybody_arrives_and_a_second_run_sends_nothing(world: World) -> None:
    world.source.write(trackedEntities=[person(), person(BINTA, MBOUR)], events=[case()])

    first, before = world.run(), world.destination.stamps()
    second = world.run()

    assert first.totals["created"] == 7
    assert second.sent == 0
    assert first.problems == second.problems == ()
    assert world.destination.stamps() == before
    assert len(world.source.holds()) > 20
    assert world.differing() == {}


def test_cleared_attribute(world: World) -> None:
    began_with(world, person(), person(BINTA))
    own = {"attributes": [{"attribute": LAST_NAME, "value": None}]}
    of_the_program: Json = {"attributes": [{"attribute": PHONE, "value": None}], "events": []}
    world.source.write(trackedEntities=[{**person(enrollments=[]), **own}])
    world.source.write(enrollments=[enrollment(**of_the_program)])

    run = world.run()

    assert run.totals["changed"] == 2
    there = world.destination.holds()
    assert ("attribute", AWA, LAST_NAME) not in there
    assert ("attribute", AWA, PHONE) not in there
    assert ("attribute", BINTA, PHONE) in there
    assert_equal(world)


def test_cleared_value(world: World) -> None:
    began_with(world, person())
    world.source.write(events=[visit(dataValues=[{"dataElement": WEIGHT, "value": None}])])
    world.source.write(events=[case(dataValues=[*case()["dataValues"][:1], no_age()])])

    run = world.run()

    assert run.totals["changed"] == 2
    there = world.destination.holds()
    assert ("value", event_of(AWA), WEIGHT) not in there
    assert ("value", event_of(AWA), REGIMEN) in there
    assert_equal(world)


def no_age() -> Json:
    return {"dataElement": case()["dataValues"][1]["dataElement"], "value": None}


def test_values_of_events_that_did_not_take_place_come_when_they_do(world: World) -> None:
    visits = [visit(number=number) for number in (1, 2, 3)]
    world.source.write(trackedEntities=[person(enrollments=[enrollment(events=visits)])])
    anew = "UPDATE event SET status = ?, scheduled_at = '2026-04-02T00:00:00.000' WHERE uid = ?"
    statuses = ("SCHEDULE", "OVERDUE", "SKIPPED")
    uids = [event_of(AWA, number) for number in (1, 2, 3)]
    for status, uid in zip(statuses, uids, strict=True):
        world.source.sql(anew, status, uid)
    values = {key for key in world.source.holds() if key[0] == "value" and key[1] in uids}
    assert len(values) > 3

    run = world.run()

    there = world.destination.holds()
    assert run.totals["refused"] == run.totals["missing"] == 0
    assert [there["event", uid]["status"] for uid in uids] == [*statuses]
    assert world.differing().keys() == values
    assert run.report["values_left_out"] == len(values)
    assert any("not carried" in line for line in report_lines(run.report))
    world.watermarks.clear()
    again = world.run()
    assert again.totals["read"] > 4
    assert again.sent == 0
    assert again.report["values_left_out"] == len(values)

    for uid in uids:
        world.source.sql(anew, "ACTIVE", uid)
    world.watermarks.clear()
    world.run()

    assert world.runs[-1].report["values_left_out"] == 0
    assert_equal(world)


def test_cleared_geometry(world: World) -> None:
    began_with(world, person())
    assert world.destination.holds()["event", event_of(AWA)]["geometry"]
    whole = person(enrollments=[enrollment(events=[without_geometry(visit())])])
    (course,) = whole["enrollments"]
    whole["enrollments"] = [without_geometry(course)]
    world.source.write(trackedEntities=[without_geometry(whole)])

    run = world.run()

    assert run.totals["changed"] == 3
    there = world.destination.holds()
    keys = [("entity", AWA), ("enrollment", enrollment_of(AWA)), ("event", event_of(AWA))]
    assert [there[key]["geometry"] for key in keys] == [None, None, None]
    assert_equal(world)


def without_geometry(item: Json) -> Json:
    return {key: value for key, value in item.items() if key != "geometry"}


def test_follow_up_removed(world: World) -> None:
    began_with(world, person())
    assert world.destination.holds()["enrollment", enrollment_of(AWA)]["follow_up"]
    world.source.write(enrollments=[enrollment(followUp=False, events=[])])

    run = world.run()

    assert run.totals["changed"] == 1
    assert not world.destination.holds()["enrollment", enrollment_of(AWA)]["follow_up"]
    assert_equal(world)


def test_enrollment_re_opened_and_re_completed(world: World) -> None:
    began_with(world, person())
    statuses = []
    for step in (
        {"status": "COMPLETED", "completedAt": "2026-06-01T08:00:00.000"},
        {"status": "ACTIVE"},
        {"status": "COMPLETED", "completedAt": "2026-07-01T08:00:00.000"},
        {"status": "CANCELLED"},
    ):
        world.source.write(enrollments=[enrollment(events=[], **step)])
        run = world.run()
        statuses.append(world.destination.holds()["enrollment", enrollment_of(AWA)]["status"])

        assert run.totals["changed"] == 1
        assert_equal(world)
    assert statuses == ["COMPLETED", "ACTIVE", "COMPLETED", "CANCELLED"]


def test_person_moved(world: World) -> None:
    began_with(world, person(), person(BINTA))
    moved = person(place=PODOR, enrollments=[enrollment(place=MBOUR, events=[visit(place=PODOR)])])
    world.source.write(trackedEntities=[moved])

    run = world.run()

    assert run.totals["changed"] == 3
    there = world.destination.holds()
    assert there["entity", AWA]["org_unit"] == there["event", event_of(AWA)]["org_unit"] == PODOR
    assert there["enrollment", enrollment_of(AWA)]["org_unit"] == MBOUR
    assert there["owner", AWA, HIV] == world.source.holds()["owner", AWA, HIV] != MBOUR
    assert_equal(world)


def test_person_in_two_programs(world: World) -> None:
    began_with(world, person(enrollments=[enrollment(), pregnancy()]), person(BINTA))
    world.source.write(enrollments=[pregnancy(status="COMPLETED", events=[])])
    cleared: Json = {"attributes": [{"attribute": PHONE, "value": None}], "events": []}
    world.source.write(enrollments=[enrollment(**cleared)])

    run = world.run()

    there = world.destination.holds()
    assert run.totals["changed"] == 2
    assert there["enrollment", enrollment_of(AWA, "M")]["status"] == "COMPLETED"
    assert there["attribute", AWA, NATIONAL_ID] == f"ID-{AWA}"
    assert {there["owner", AWA, HIV], there["owner", AWA, MATERNAL]} == {place(AWA), MBOUR}
    assert_equal(world)


def place(uid: str) -> str:
    at: str = person(uid)["orgUnit"]
    return at


def test_new_owner(world: World) -> None:
    began_with(world, person(), person(BINTA))
    world.source.give(AWA, HIV, MBOUR)
    if world.version < "2.43":  # no stamp shows it (measured): the next edit brings it
        world.source.write(events=[visit(status="COMPLETED")])

    run = world.run()

    assert world.destination.holds()["owner", AWA, HIV] == MBOUR
    assert run.report["kinds"]["OWNER"]["changed"] == 1
    assert_equal(world)


@pytest.mark.parametrize("deletes", ["hold", "send"])
def test_relationship_deleted(world: World, deletes: str) -> None:
    world.source.write(trackedEntities=[person(), person(BINTA, MBOUR), person(COUMBA)])
    links = [contact("ContactLnk1", AWA, BINTA), contact("ContactLnk2", BINTA, COUMBA)]
    world.source.write(relationships=links)
    world.run(deletes=deletes)
    assert_equal(world)
    world.source.remove(relationships=[{"relationship": "ContactLnk1"}])

    run = world.run()

    there = world.destination.holds()
    kept = ("relationship", CONTACT, *sorted([AWA, BINTA]))
    assert ("relationship", CONTACT, *sorted([BINTA, COUMBA])) in there
    if deletes == "hold":
        assert run.refused == {"ContactLnk1": ("held", "SYNC_DELETE_HELD")}
        assert kept in there
        world.run(deletes="send")
    assert kept not in world.destination.holds()
    assert_equal(world)


def test_file_changed(world: World) -> None:
    world.source.upload(FIRST_REPORT, b"a first report")
    world.source.upload(PORTRAIT, b"a portrait")
    shown = {"dataElement": REPORT, "value": FIRST_REPORT}
    checked = visit(number=2, programStage=LABORATORY, dataValues=[shown])
    child = vaccination(BINTA, photo=PORTRAIT)
    everybody = [person(enrollments=[enrollment(events=[visit(), checked])])]
    world.source.write(trackedEntities=[*everybody, person(BINTA, enrollments=[child])])
    world.run()
    assert_equal(world)
    assert world.destination.holds()["file", PORTRAIT] == b"a portrait"
    assert world.destination.holds()["attribute", BINTA, PHOTO] == PORTRAIT
    world.source.upload(SECOND_REPORT, b"another report")
    other = {"dataElement": REPORT, "value": SECOND_REPORT}
    world.source.write(events=[{**checked, "dataValues": [other]}])

    run = world.run()

    there = world.destination.holds()
    assert there["value", event_of(AWA, 2), REPORT][0] == SECOND_REPORT
    assert there["file", SECOND_REPORT] == b"another report"
    assert run.totals["refused"] == 0
    assert_equal(world)


def test_unique_values_swapped(world: World) -> None:
    women = [person(uid, enrollments=[pregnancy(uid)]) for uid in (AWA, BINTA)]
    began_with(world, *women)
    for uid, value in ((AWA, "in between"), (BINTA, f"ID-{AWA}"), (AWA, f"ID-{BINTA}")):
        name_anew(world, uid, value)

    run = world.run()

    there = world.destination.holds()
    assert there["attribute", AWA, NATIONAL_ID] == f"ID-{BINTA}"
    assert there["attribute", BINTA, NATIONAL_ID] == f"ID-{AWA}"
    assert run.totals["refused"] == 0
    assert_equal(world)


def test_unique_value_given_up_by_one_and_taken_by_another(world: World) -> None:
    women = [person(uid, enrollments=[pregnancy(uid)]) for uid in (AWA, BINTA, COUMBA)]
    began_with(world, *women)
    for uid, value in ((COUMBA, "ID-new"), (BINTA, f"ID-{COUMBA}"), (AWA, f"ID-{BINTA}")):
        name_anew(world, uid, value)

    run = world.run()

    assert run.totals["refused"] == 0
    assert world.destination.holds()["attribute", AWA, NATIONAL_ID] == f"ID-{BINTA}"
    assert_equal(world)


def name_anew(world: World, uid: str, value: str) -> None:
    named = [{"attribute": NATIONAL_ID, "value": value}]
    course = pregnancy(uid, events=[])
    named += [item for item in course["attributes"] if item["attribute"] != NATIONAL_ID]
    world.source.write(enrollments=[{**course, "attributes": named}])


@pytest.mark.parametrize("deletes", ["hold", "send"])
def test_deleted_and_re_registered_with_the_same_national_id(world: World, deletes: str) -> None:
    began_with(world, person(), person(COUMBA, PODOR))
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    course = enrollment(BINTA, attributes=[{"attribute": NATIONAL_ID, "value": f"ID-{AWA}"}])
    world.source.write(trackedEntities=[person(BINTA, enrollments=[course])])

    run = world.run(deletes=deletes)

    if deletes == "hold":
        assert run.refused[AWA] == ("held", "SYNC_DELETE_HELD")
        assert run.refused[enrollment_of(BINTA)] == ("refused", "E1064")
        assert ("attribute", AWA, FIRST_NAME) in world.destination.holds()
        world.run(deletes="send")
    there = world.destination.holds()
    assert ("entity", AWA) not in there
    assert there["attribute", BINTA, NATIONAL_ID] == f"ID-{AWA}"
    assert_equal(world)
