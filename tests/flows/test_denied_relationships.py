"""A relationship that an account may not write or read is refused by name, and no neighbour is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.errors import PermanentError
from flows.expected import assert_equal
from flows.people import AWA, BINTA, CONTACT, COUMBA, contact, person
from flows.test_deletes import writer
from flows.world import Ground, World, world_on
from servers import OLDEST_AND_NEWEST, SENEGAL, put, read


KINSHIP = "kinshipType"  # joins any two people too
SECRET, OPEN = "SecretLink1", "OpenLink001"
DENIED = "SYNC_RELATIONSHIP_DENIED"


pytestmark = pytest.mark.parametrize("ground", OLDEST_AND_NEWEST, indirect=True)


@pytest.fixture
def world(ground: Ground, tmp_path: Path) -> Iterator[World]:
    with world_on(ground, tmp_path) as both:
        people = [person(uid) for uid in (AWA, BINTA, COUMBA)]
        both.source.write(trackedEntities=people)
        yield both


def joined(world: World, kind: str = CONTACT) -> None:
    """Join Awa with Binta, and with Coumba by a relationship of *kind*."""
    links = [contact(OPEN, AWA, BINTA), contact(SECRET, AWA, COUMBA, kind)]
    world.source.write(relationships=links)


def links_there(world: World) -> int:
    return sum(key[0] == "relationship" for key in world.destination.holds())


def test_one_whose_type_the_account_may_not_write_is_refused_and_its_neighbour_is_stored(
    world: World,
) -> None:
    for server in (world.source, world.destination):
        contact_type = read(server.client, "relationshipTypes", CONTACT)
        more = {"id": KINSHIP, "name": "Parent", "code": "KINSHIP"}
        put(server.client, "relationshipTypes", contact_type | more)
    world.learn()
    joined(world, KINSHIP)
    shared = sharing("rwrw----")
    world.destination.alter("relationshipTypes", KINSHIP, sharing=sharing("rwr-----"))
    superuser = world.destination
    world.destination = replace(superuser, client=writer(world, SENEGAL))

    first, second = world.run(refused="fail"), world.run()

    assert first.refused == second.refused == {SECRET: ("refused", "E4020")}
    assert any("E4020" in problem for problem in first.problems)
    assert second.problems == ()
    assert links_there(world) == 1
    superuser.alter("relationshipTypes", KINSHIP, sharing=shared)
    world.destination = superuser
    world.run()
    assert links_there(world) == 2
    assert_equal(world)


def sharing(public: str) -> dict[str, Any]:
    return {"public": public, "owner": None, "users": {}, "userGroups": {}}


def test_one_whose_request_is_forbidden_is_refused_and_its_neighbour_is_stored(
    world: World,
) -> None:
    joined(world)
    run = world.begin()
    for piece in run.slices:
        world.load(run, piece, world.bundles(run, piece))
    # Both together, then the first alone.
    forbidden: dict[str, Any] = {"method": "POST", "path": "/api/tracker\\?", "times": 2}
    world.destination.faults.order("status", status=403, **forbidden)

    world.end(run)

    assert [code for _, code in run.refused.values()] == [DENIED]
    assert links_there(world) == 1
    world.destination.faults.clear()
    world.run()
    assert links_there(world) == 2
    assert_equal(world)


def test_an_account_that_may_import_nothing_makes_the_run_red_and_says_so(world: World) -> None:
    joined(world)
    run = world.begin()
    for piece in run.slices:
        world.load(run, piece, world.bundles(run, piece))
    world.destination.faults.order("status", status=403, method="POST", times=None)

    with pytest.raises(PermanentError, match="the account may not do this"):
        world.end(run)

    assert links_there(world) == 0


def test_one_that_may_not_be_read_is_refused_and_goes_once_it_may(world: World) -> None:
    joined(world)
    world.run(deletes="send")
    assert links_there(world) == 2
    world.source.remove(relationships=[{"relationship": SECRET}, {"relationship": OPEN}])
    path = f"/api/tracker/relationships/{SECRET}"
    world.destination.faults.order("status", status=403, method="GET", path=path, times=None)

    first, second = world.run(refused="fail"), world.run()

    assert first.refused == second.refused == {SECRET: ("refused", DENIED)}
    assert [DENIED in problem for problem in first.problems] == [True]
    assert second.problems == ()
    assert links_there(world) == 1
    world.destination.faults.clear()
    world.run()
    assert links_there(world) == 0
    assert_equal(world)


def test_one_at_which_the_server_broke_down_after_it_was_stored_is_stored(world: World) -> None:
    world.run()
    world.source.write(relationships=[contact(OPEN, AWA, BINTA)])
    world.destination.faults.order("status", status=500, method="POST", done=True)

    run = world.run(refused="fail")

    assert (run.refused, run.problems) == ({}, ())
    assert run.totals["created"] == links_there(world) == 1
    assert_equal(world)
