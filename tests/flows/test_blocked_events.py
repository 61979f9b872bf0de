"""A completed event of a stage that blocks entry is re-opened and completed, or said to be open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.people import AWA, BINTA, FOLLOW_UP, PODOR, enrollment, event_of, person, visit
from flows.world import Ground, World, world_on
from tracker_sync.sending.choreography import LEFT_OPEN


VISIT = event_of(AWA)
SECOND_STEP = 2  # after the event as it is, and the event re-opened
LATER = "2026-04-03T00:00:00.000"


@pytest.fixture
def world(grounds: Callable[[str], Ground], tmp_path: Path) -> Iterator[World]:
    """A destination with a completed event that was changed at the source and is blocked there."""
    with world_on(grounds("2.43.1"), tmp_path, refused="fail") as both:
        course = enrollment(events=[visit(status="COMPLETED")])
        both.source.write(trackedEntities=[person(enrollments=[course]), person(BINTA, PODOR)])
        assert both.run().problems == ()
        both.source.write(events=[visit(status="COMPLETED", occurredAt=LATER)])
        both.destination.alter("programStages", FOLLOW_UP, blockEntryForm=True)
        yield both


def at_destination(world: World) -> tuple[str, str]:
    """Return the event's status there, and when it occurred."""
    with world.destination.sandbox.database.reading() as connection:
        row = connection.execute("SELECT status, occurred_at FROM event WHERE uid = ?", (VISIT,))
        status, occurred_at = row.fetchone()
        return status, occurred_at[:10]


def refuse_imports(world: World, after: int) -> None:
    """Have one import refused as a whole, and those before it let through."""
    order = world.destination.faults.order
    order("status", method="POST", path=r"/api/tracker\?", status=409, after=after, times=1)


def test_it_is_stored_when_both_steps_are(world: World) -> None:
    run = world.run()

    assert (run.problems, run.refused, run.sent) == ((), {}, 1)
    assert at_destination(world) == ("COMPLETED", LATER[:10])
    assert world.differing() == {}


def test_when_the_second_step_is_refused_it_is_said_to_be_open_and_completed_by_a_later_run(
    world: World,
) -> None:
    refuse_imports(world, SECOND_STEP)
    first = world.run()
    left = at_destination(world)
    world.destination.faults.clear()
    refuse_imports(world, 0)
    second = world.run()
    world.destination.faults.clear()
    third = world.run()

    assert left == ("ACTIVE", LATER[:10])
    for run in (first, second):
        assert run.refused == {VISIT: ("refused", LEFT_OPEN)}
        assert run.totals["changed"] == run.totals["missing"] == 0
    assert first.problems
    assert second.problems == ()
    assert second.report["refusals"][0]["known"]
    assert (third.problems, third.refused) == ((), {})
    assert at_destination(world) == ("COMPLETED", LATER[:10])
    assert world.differing() == {}


def test_when_the_answer_to_the_second_step_is_lost_it_is_completed_all_the_same(
    world: World,
) -> None:
    faults = world.destination.faults
    faults.order("reset", method="POST", path=r"/api/tracker\?", after=SECOND_STEP, times=1)

    run = world.run()

    assert faults.told()[0]["met"] == 1
    assert (run.problems, run.refused) == ((), {})
    assert at_destination(world) == ("COMPLETED", LATER[:10])
    assert world.differing() == {}
