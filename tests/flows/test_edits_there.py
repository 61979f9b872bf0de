"""An edit at the destination is kept for as long as the route says so, and no longer."""

from __future__ import annotations

from typing import Any

import pytest

from flows.expected import assert_equal, began_with
from flows.people import AWA, BINTA, WEIGHT, case, event_of, person, visit
from flows.world import World
from servers import OLDEST_AND_NEWEST


EDITED = "SYNC_DESTINATION_EDITED"
OUTCOMES = {"keep": "held", "report": "refused"}


pytestmark = pytest.mark.parametrize("ground", OLDEST_AND_NEWEST, indirect=True)


def weighed(value: str) -> dict[str, Any]:
    return visit(dataValues=[{"dataElement": WEIGHT, "value": value}])


def weight(world: World) -> str:
    value: str = world.destination.holds()["value", event_of(AWA), WEIGHT][0]
    return value


@pytest.mark.parametrize("edits", OUTCOMES)
def test_an_edit_is_named_every_night_and_gone_with_the_first_run_that_overwrites(
    world: World, edits: str
) -> None:
    began_with(world, person(), person(BINTA))
    world.destination.write(events=[weighed("70")])
    world.source.write(events=[weighed("80")])

    nights = [world.run(destination_edits=edits) for _ in range(3)]

    for night in nights:
        assert night.refused == {event_of(AWA): (OUTCOMES[edits], EDITED)}
        assert night.sent == 0
    assert weight(world) == "70"
    run = world.run(destination_edits="overwrite")
    assert (run.refused, run.totals["changed"]) == ({}, 1)
    assert weight(world) == "80"
    assert_equal(world)


def test_an_edited_case_waits_like_any_person(world: World) -> None:
    began_with(world, person())
    result, age = case()["dataValues"]
    world.destination.write(events=[case(dataValues=[result, {**age, "value": "32"}])])
    world.source.write(events=[case(dataValues=[result, {**age, "value": "33"}])])

    kept = [world.run(destination_edits="keep").refused for _ in range(2)]

    assert kept == [{"CaseEvent01": ("held", EDITED)}] * 2
    assert world.run(destination_edits="overwrite").totals["changed"] == 1
    assert_equal(world)


def test_an_edit_that_the_source_agrees_with_is_not_read_again(world: World) -> None:
    began_with(world, person(), person(BINTA))
    world.destination.write(events=[weighed("70")])
    world.source.write(events=[weighed("80")])
    assert world.run(destination_edits="keep").refused
    world.destination.write(events=[weighed("80")])

    agreed, after = (world.run(destination_edits="keep") for _ in range(2))

    assert agreed.totals["unchanged"] > 0
    assert agreed.refused == after.refused == {}
    assert after.totals["read"] == 0
    assert_equal(world)
