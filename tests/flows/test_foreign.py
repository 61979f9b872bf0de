"""A UID that the destination gave to somebody else's enrollment takes nothing of ours in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.people import (
    AWA,
    BINTA,
    COUMBA,
    PODOR,
    enrollment,
    enrollment_of,
    event_of,
    person,
    visit,
)
from flows.world import Ground, World, world_on
from tracker_sync.planning.foreign import FOREIGN
from tracker_sync.planning.plan import PARENT_REFUSED


# The oldest looks among all enrollments, the newest among those of a program.
@pytest.fixture(params=["2.40.9", "2.43.1"])
def world(
    request: pytest.FixtureRequest, grounds: Callable[[str], Ground], tmp_path: Path
) -> Iterator[World]:
    with world_on(grounds(request.param), tmp_path) as both:
        yield both


OURS = enrollment_of(AWA)
VISITS = [event_of(AWA), event_of(AWA, 2)]


def confused(world: World) -> None:
    """Give both servers an enrollment of one UID: ours with events, theirs of somebody else."""
    theirs = person(COUMBA, enrollments=[enrollment(COUMBA, enrollment=OURS, events=[])])
    world.destination.write(trackedEntities=[theirs])
    ours = enrollment(events=[visit(), visit(number=2)])
    world.source.write(trackedEntities=[person(enrollments=[ours]), person(BINTA, PODOR)])


def events_below(world: World) -> list[str]:
    """Return the events that the destination has below that enrollment, deleted or not."""
    with world.destination.sandbox.database.reading() as connection:
        rows = connection.execute("SELECT uid FROM event WHERE enrollment = ?", (OURS,))
        return [row["uid"] for row in rows]


def holder(world: World) -> str:
    """Return whose enrollment it is at the destination."""
    with world.destination.sandbox.database.reading() as connection:
        row = connection.execute("SELECT entity FROM enrollment WHERE uid = ?", (OURS,))
        return str(row.fetchone()["entity"])


def test_another_persons_enrollment_gets_no_event_of_ours(world: World) -> None:
    confused(world)

    first = world.run(refused="fail")
    second = world.run()
    world.source.write(events=[visit(scheduledAt="2026-04-01T00:00:00.000")])
    edited = world.run()

    for run in (first, second, edited):
        assert run.refused[OURS] == ("refused", FOREIGN)
        assert [run.refused[uid] for uid in VISITS] == [("refused", PARENT_REFUSED)] * 2
        assert run.totals["missing"] == 0
    assert first.problems
    assert second.problems == edited.problems == ()
    assert events_below(world) == []
    assert holder(world) == COUMBA
    assert not any(BINTA in key for key in world.differing())


def test_once_the_other_enrollment_is_gone_ours_stays_refused_and_says_so(world: World) -> None:
    confused(world)
    world.run()
    world.destination.remove(enrollments=[{"enrollment": OURS}])
    world.source.write(enrollments=[enrollment(followUp=False)])

    run = world.run()

    assert run.refused[OURS] == ("refused", "E1113")
    assert [run.refused[uid] for uid in VISITS] == [("refused", PARENT_REFUSED)] * 2
    assert events_below(world) == []
