"""The category options of an enrollment travel between servers of 2.43, which alone have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.expected import assert_equal, began_with
from flows.people import AWA, enrollment, enrollment_of, person
from flows.world import Ground, World, world_on


DONOR, OTHER, DEFAULT = "DonorCombo1", "OtherCombo1", "HllvX50cXC0"


@pytest.fixture
def world(grounds: Callable[[str], Ground], tmp_path: Path) -> Iterator[World]:
    with world_on(grounds("2.43.1"), tmp_path) as both:
        for server in (both.source, both.destination):
            with server.sandbox.store.changing() as connection:
                combos = [
                    {"id": uid, "name": uid, "categoryCombo": {"id": "DonorCatCmb"}}
                    for uid in (DONOR, OTHER)
                ]
                server.sandbox.store.put(connection, "categoryOptionCombos", combos)
        yield both


def combo(world: World) -> str:
    """Return the option combination of the enrollment at the destination."""
    held: str = world.destination.holds()["enrollment", enrollment_of(AWA)]["option_combo"]
    return held


def test_they_arrive_change_and_become_the_default_again(world: World) -> None:
    began_with(world, person(enrollments=[enrollment(attributeOptionCombo=DONOR)]))
    first = combo(world)
    found = []
    for now in (OTHER, DEFAULT):
        world.source.write(enrollments=[enrollment(attributeOptionCombo=now, events=[])])

        run = world.run()

        assert run.totals["changed"] == 1
        found.append(combo(world))
        assert_equal(world)
    assert [first, *found] == [DONOR, OTHER, DEFAULT]


def test_an_enrollment_whose_other_fields_change_keeps_them(world: World) -> None:
    began_with(world, person(enrollments=[enrollment(attributeOptionCombo=DONOR)]))
    edited = enrollment(attributeOptionCombo=DONOR, status="COMPLETED", events=[])
    world.source.write(enrollments=[edited])

    run = world.run()

    assert run.totals["changed"] == 1
    assert combo(world) == DONOR
    assert_equal(world)
