"""What every flow begins with and ends with."""

from __future__ import annotations

from typing import Any

from flows.people import case
from flows.world import World


Json = dict[str, Any]


def began_with(world: World, *people: Json) -> None:
    """Let people and a case be on both servers."""
    world.source.write(trackedEntities=list(people), events=[case()])
    run = world.run()
    assert run.totals["created"] > len(people)
    assert run.totals["refused"] == run.totals["missing"] == 0
    assert_equal(world)


def assert_equal(world: World) -> None:
    """Hold the servers against one another, and see that nothing is left to send."""
    assert world.differing() == {}
    before = world.destination.stamps()
    again = world.run()
    assert (again.sent, again.problems) == (0, ())
    assert world.destination.stamps() == before
    assert world.differing() == {}
