"""What was refused because of an order is stored in the end, and nobody pays for it."""

from __future__ import annotations

from typing import Any

import pytest

from flows.expected import assert_equal, began_with
from flows.people import (
    AWA,
    BINTA,
    COUMBA,
    MBOUR,
    NATIONAL_ID,
    PODOR,
    enrollment,
    enrollment_of,
    person,
    visit,
)
from flows.world import Run, World
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.report_text import report_lines
from tracker_sync.second_pass.again import agains
from tracker_sync.second_pass.swapping import Swapping
from tracker_sync.second_pass.unique_values import TWICE, UniqueValues


def with_id(uid: str, national_id: str | None, place: str = PODOR) -> dict[str, Any]:
    """Return a person's enrollment with a national id."""
    rows = [{"attribute": NATIONAL_ID, "value": national_id}]
    return {**enrollment(uid, place, attributes=rows), "events": []}


def take(world: World, *ids: tuple[str, str | None]) -> None:
    """Let people take national ids at the source, one after another."""
    for uid, national_id in ids:
        root = {**person(uid, PODOR), "enrollments": []}
        root["attributes"] = [{"attribute": NATIONAL_ID, "value": national_id}]
        world.source.write(trackedEntities=[root])


def id_at_destination(world: World, uid: str) -> str | None:
    held = world.destination.holds()
    value: str | None = held.get(("attribute", uid, NATIONAL_ID))
    return value


def codes_of_load(run: Run) -> set[str]:
    """Return why the slices' loads refused what the second pass had to try again."""
    rows = run.ledger().to_pylist()
    return {row["code"] for row in rows if row["uid"] in {AWA, BINTA, COUMBA, *ENROLLMENTS}} - {
        None
    }


ENROLLMENTS = {enrollment_of(uid) for uid in (AWA, BINTA, COUMBA)}
THREE = (person(AWA, PODOR), person(BINTA, PODOR), person(COUMBA, PODOR))


def test_one_takes_what_another_gave_up(world: World) -> None:
    began_with(world, *THREE)
    take(world, (AWA, "new"), (BINTA, f"ID-{AWA}"))

    run = world.run()

    assert codes_of_load(run) == {"E1064"}
    assert run.refused == {}
    assert id_at_destination(world, BINTA) == f"ID-{AWA}"
    assert_equal(world)


def test_a_chain_of_takers_is_stored_from_its_end(world: World) -> None:
    began_with(world, *THREE)
    take(world, (COUMBA, "new"), (BINTA, f"ID-{COUMBA}"), (AWA, f"ID-{BINTA}"))

    run = world.run()

    assert codes_of_load(run) == {"E1064"}
    assert run.refused == {}
    assert id_at_destination(world, AWA) == f"ID-{BINTA}"
    assert_equal(world)


def test_three_people_exchange_their_ids_in_a_ring(world: World) -> None:
    began_with(world, *THREE)
    take(world, (AWA, "for a while"), (BINTA, f"ID-{AWA}"))
    take(world, (COUMBA, f"ID-{BINTA}"), (AWA, f"ID-{COUMBA}"))

    run = world.run()

    assert codes_of_load(run) == {"E1064"}
    assert run.refused == {}
    assert [id_at_destination(world, uid) for uid in (AWA, BINTA, COUMBA)] == [
        f"ID-{COUMBA}",
        f"ID-{AWA}",
        f"ID-{BINTA}",
    ]
    assert_equal(world)


def test_a_swap_is_not_taken_for_an_edit_at_the_destination(world: World) -> None:
    began_with(world, *THREE)
    take(world, (AWA, "for a while"), (BINTA, f"ID-{AWA}"), (AWA, f"ID-{BINTA}"))

    run = world.run(destination_edits="keep")

    assert run.refused == {}
    assert [id_at_destination(world, uid) for uid in (AWA, BINTA)] == [f"ID-{BINTA}", f"ID-{AWA}"]
    assert_equal(world)


def test_who_gave_up_an_id_in_vain_gets_it_back(world: World) -> None:
    began_with(world, *THREE)
    take(world, (AWA, "for a while"), (BINTA, f"ID-{AWA}"), (AWA, f"ID-{BINTA}"))
    run = world.begin()
    for piece in run.slices:
        world.load(run, piece, world.bundles(run, piece))
    there = (world.source.client, world.there(run), run.route, run.workspace, world.model)
    after = AfterSlices(*there)
    unique = UniqueValues(run.workspace.unique_values, world.model)
    swapping = Swapping(after, [*agains(after, unique)], unique)

    assert swapping.give_up()
    between = [id_at_destination(world, uid) for uid in (AWA, BINTA)]
    swapping.give_back()

    assert between.count(None) == 1
    assert [id_at_destination(world, uid) for uid in (AWA, BINTA)] == [f"ID-{AWA}", f"ID-{BINTA}"]


@pytest.mark.parametrize("places", [(MBOUR, PODOR), (PODOR, PODOR)], ids=["apart", "together"])
def test_of_two_with_one_id_one_is_stored_and_the_other_named(
    world: World, places: tuple[str, str]
) -> None:
    world.source.write(trackedEntities=[person(AWA, places[0]), person(BINTA, places[1])])
    with world.source.sandbox.database.writing() as connection:
        connection.execute("UPDATE attribute SET value = 'one' WHERE attribute = ?", (NATIONAL_ID,))

    run = world.run()

    ids = [id_at_destination(world, uid) for uid in (AWA, BINTA)]
    assert ids.count("one") == 1
    late = BINTA if ids[0] else AWA
    codes = {code for code in codes_of_load(run) if code != "E5000"}
    assert {"SYNC_UNIQUE_WAITS", "E1064"} <= codes
    assert run.refused[enrollment_of(late)] == ("refused", "E1064")
    assert [uid for uid in run.refused if late[1:] not in uid] == []


def share_an_id(world: World) -> None:
    """Let both servers hold two people with one national id, as old releases took them."""
    for server in (world.source, world.destination):
        server.sql(
            "UPDATE attribute SET value = 'one' WHERE attribute = ? AND entity IN (?, ?)",
            *(NATIONAL_ID, AWA, BINTA),
        )


def test_two_who_have_one_id_at_the_destination_are_both_named_and_nobody_else(
    world: World,
) -> None:
    began_with(world, *THREE)
    share_an_id(world)
    take(world, (COUMBA, "new"))
    come_by(world, AWA, BINTA)

    red, green = world.run(refused="fail"), world.run()

    assert red.refused == green.refused == dict.fromkeys([AWA, BINTA], ("refused", TWICE))
    assert [problem for problem in red.problems if TWICE in problem] == list(red.problems) != []
    assert green.problems == ()
    named = {item["uid"]: item for item in red.report["refusals"]}
    assert "merge the two people" in named[AWA]["do"]
    assert any(TWICE in line for line in report_lines(red.report))
    assert id_at_destination(world, COUMBA) == "new"

    take(world, (BINTA, "her own"))
    mended = world.run()

    assert mended.refused == {}
    assert id_at_destination(world, BINTA) == "her own"
    assert_equal(world)


def come_by(world: World, *people: str) -> None:
    """Let the source list people, whose ids are as they were."""
    for uid in people:
        visited = visit(uid, PODOR, status="COMPLETED")
        world.source.write(events=[visited])


def test_second_pass_that_is_cleared_and_run_again_sends_nothing(world: World) -> None:
    began_with(world, *THREE)
    take(world, (AWA, "new"), (BINTA, f"ID-{AWA}"))
    run = world.run()
    before = world.destination.stamps()

    again = world.end(run)

    assert again.refused == {}
    assert again.totals == run.totals
    assert world.destination.stamps() == before
