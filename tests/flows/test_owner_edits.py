"""An owner whom somebody changed at the destination is kept if the route says so."""

from __future__ import annotations

import pytest

from flows.expected import assert_equal, began_with
from flows.people import AWA, BINTA, MBOUR, PODOR, event_of, person, visit
from flows.world import World
from servers import HIV


OWNER = f"{AWA}:{HIV}"
EDITED = "SYNC_DESTINATION_EDITED"


def read_again(world: World, number: int) -> None:
    """Let the person be read: before 2.43 no stamp shows a transfer (measured)."""
    stamp = f"2026-03-0{number}T00:00:00.000"
    world.source.write(events=[visit(occurredAt=stamp)])


def owner(world: World) -> str:
    place: str = world.destination.holds()["owner", AWA, HIV]
    return place


def test_an_owner_who_was_changed_at_the_destination_is_kept_until_a_run_overwrites_it(
    world: World,
) -> None:
    began_with(world, person(), person(BINTA))
    world.destination.give(AWA, HIV, MBOUR)
    world.source.give(AWA, HIV, PODOR)

    told = []
    for number, edits in enumerate(("keep", "keep", "report", "report"), 1):
        read_again(world, number)
        run = world.run(destination_edits=edits)
        named = next(item for item in run.report["refusals"] if item["uid"] == OWNER)
        told.append((named["outcome"], named["code"], named["known"]))
        assert owner(world) == MBOUR
        assert event_of(AWA) not in run.refused

    assert told == [("held", EDITED, False)] * 2 + [
        ("refused", EDITED, False),
        ("refused", EDITED, True),
    ]
    read_again(world, 5)
    assert world.run(destination_edits="overwrite").refused == {}
    assert owner(world) == PODOR
    assert_equal(world)


@pytest.mark.parametrize("edits", ["keep", "report"])
def test_an_owner_whom_nobody_changed_there_follows_the_source(world: World, edits: str) -> None:
    began_with(world, person(), person(BINTA))
    for number, place in enumerate((PODOR, MBOUR), 1):
        world.source.give(AWA, HIV, place)
        read_again(world, number)

        assert world.run(destination_edits=edits).refused == {}
        assert owner(world) == place
    assert_equal(world)
