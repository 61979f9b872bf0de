"""Two people whom the source merges lose nothing: no enrollment goes with whom it was taken from.

DHIS2 gives the enrollments of one to the other, under their UIDs, and deletes whom they were
taken from. No API of the import does that; so a test writes it as the merge does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.expected import assert_equal, began_with
from flows.people import (
    AWA,
    BINTA,
    COUMBA,
    PHONE,
    contact,
    enrollment,
    enrollment_of,
    event_of,
    person,
    pregnancy,
    vaccination,
)
from flows.world import Ground, Server, World, world_on
from tracker_sync.deletions.waiting import MORE_BELOW
from tracker_sync.planning.foreign import FOREIGN
from tracker_sync.relationships.plan import IS_ANOTHER


TAKEN, VISIT = enrollment_of(BINTA), event_of(BINTA)
OTHER = enrollment_of(BINTA, "V")
JOINED = "JoinedLink1"


# The oldest looks among all enrollments, the newest among those of a program.
@pytest.fixture(params=["2.40.9", "2.43.1"])
def world(
    request: pytest.FixtureRequest, grounds: Callable[[str], Ground], tmp_path: Path
) -> Iterator[World]:
    with world_on(grounds(request.param), tmp_path, deletes="send") as both:
        yield both


def merge(server: Server) -> None:
    """Give an enrollment with its event to another person, and delete whom it was taken from."""
    server.sql("UPDATE enrollment SET entity = ? WHERE uid = ?", AWA, TAKEN)
    server.sql("UPDATE event SET entity = ? WHERE enrollment = ?", AWA, TAKEN)
    of_both = enrollment(BINTA, trackedEntity=AWA, events=[], followUp=False)
    of_both["attributes"] = [{"attribute": PHONE, "value": "+221770000009"}]
    server.write(enrollments=[of_both])
    server.remove(trackedEntities=[{"trackedEntity": BINTA}])


def before_the_merge(world: World) -> None:
    """Let both servers have two people, one of whom has an enrollment that was deleted since."""
    twin = person(BINTA, enrollments=[enrollment(BINTA), vaccination(BINTA)])
    began_with(world, person(enrollments=[pregnancy()]), twin, person(COUMBA))
    world.source.remove(enrollments=[{"enrollment": OTHER}])


def test_what_the_other_of_two_merged_people_has_now_is_not_deleted_along(world: World) -> None:
    before_the_merge(world)
    merge(world.source)

    runs = [world.run() for _ in range(3)]

    for run in runs:
        assert run.refused[TAKEN] == ("refused", FOREIGN)
        assert run.refused[VISIT] == ("refused", "E5000")
    assert runs[0].refused[BINTA] == ("held", MORE_BELOW)
    there = world.destination.holds()
    assert ("enrollment", TAKEN) in there
    assert ("event", VISIT) in there
    assert ("enrollment", OTHER) not in there


def test_a_relationship_that_the_other_has_now_is_not_deleted_along(world: World) -> None:
    before_the_merge(world)
    world.source.write(relationships=[contact(JOINED, BINTA, COUMBA)])
    world.run()
    world.source.remove(enrollments=[{"enrollment": TAKEN}])
    world.source.sql("UPDATE relationship SET from_uid = ? WHERE uid = ?", AWA, JOINED)
    world.source.write(enrollments=[pregnancy(events=[], followUp=True)])
    world.source.remove(trackedEntities=[{"trackedEntity": BINTA}])

    runs = [world.run() for _ in range(2)]

    assert [run.refused[BINTA] for run in runs] == [("held", MORE_BELOW)] * 2
    assert [run.refused[JOINED] for run in runs] == [("refused", IS_ANOTHER)] * 2
    joined = {key[2:] for key in world.destination.holds() if key[0] == "relationship"}
    assert joined == {(BINTA, COUMBA)}
    assert ("enrollment", TAKEN) not in world.destination.holds()
    world.destination.sql("UPDATE relationship SET from_uid = ? WHERE uid = ?", AWA, JOINED)
    assert world.run().refused == {}
    assert_equal(world)


def test_once_the_destination_merges_them_too_both_are_equal(world: World) -> None:
    before_the_merge(world)
    merge(world.source)
    assert world.run().refused[TAKEN] == ("refused", FOREIGN)
    merge(world.destination)

    run = world.run()

    assert run.refused == {}
    assert_equal(world)
