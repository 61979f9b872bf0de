"""What happens to people at the source happens at the destination, on each version of DHIS2."""

from __future__ import annotations

from typing import Any

from flows.expected import assert_equal, began_with
from flows.people import (
    AWA,
    BINTA,
    LAST_NAME,
    MBOUR,
    NATIONAL_ID,
    PHONE,
    PODOR,
    REGIMEN,
    WEIGHT,
    case,
    enrollment,
    enrollment_of,
    event_of,
    person,
    pregnancy,
    visit,
)
from flows.world import World
from servers import HIV, MATERNAL


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
