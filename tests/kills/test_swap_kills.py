"""Who gave up a unique value for a swap has it, or a better one, again, whatever is killed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.people import AWA, BINTA, MBOUR, NATIONAL_ID, PODOR, case, enrollment_of, person
from flows.world import Ground, Run, World, ground_of, world_on
from kills.jobs import Deadly, ended, phase_of
from tracker_sync.second_pass.owed import owed_of
from tracker_sync.second_pass.swapping import Swapping
from tracker_sync.second_pass.unique_values import UniqueValues
from tracker_sync.servers import state_folder


WRITE = "POST /api/tracker"
OWN, OTHERS = f"ID-{AWA}", f"ID-{BINTA}"

# The first two requests try both of them once more, the third has Awa give up her id, then
# Binta takes it, then Awa takes Binta's.
BOUNDARIES = [
    ("rename given_up.json draft", 1),
    (f"after {WRITE}", 3),
    (f"before {WRITE}", 4),
    (f"after {WRITE}", 4),
    (f"after {WRITE}", 5),
    ("remove given_up.json", 1),
    ("rename ledger.parquet draft", 1),
]
GAVE_UP = (f"after {WRITE}", 3)


@pytest.fixture(scope="module", params=["2.40.9", "2.43.1"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return ground_of(tmp_path_factory.mktemp("ground"), request.param)


class Swap:
    """A run whose slices are loaded: Awa and Binta have each other's national id."""

    def __init__(self, world: World, nursery: subprocess.Popen[str], log: Path) -> None:
        people = [person(AWA, PODOR), person(BINTA, MBOUR)]
        world.source.write(trackedEntities=people, events=[case()])
        assert world.run(destination_edits="keep").totals["created"] == 7
        for uid, value in ((AWA, "for a while"), (BINTA, OWN), (AWA, OTHERS)):
            take(world, uid, value)
        self.world, self.nursery, self.log = world, nursery, log
        self.run: Run = world.begin()
        for piece in self.run.slices:
            world.load(self.run, piece, world.bundles(self.run, piece))

    def killed(self, boundary: str, nth: int) -> None:
        """Let the second pass be killed in another process."""
        where = Deadly(self.log, boundary, nth)
        job = phase_of(self.world, self.run, "second_pass", where)
        assert ended(self.nursery, job) == signal.SIGKILL
        self.world.destination.watch.rest()

    def ids(self) -> list[str | None]:
        """Return the national ids of Awa and of Binta at the destination."""
        there = self.world.destination.holds()
        return [there.get(("attribute", uid, NATIONAL_ID)) for uid in (AWA, BINTA)]


def take(world: World, uid: str, national_id: str | None) -> None:
    """Let somebody take a national id at the source."""
    root: dict[str, Any] = {**person(uid, PODOR if uid == AWA else MBOUR), "enrollments": []}
    root["attributes"] = [{"attribute": NATIONAL_ID, "value": national_id}]
    world.source.write(trackedEntities=[root])


@pytest.fixture
def swap(ground: Ground, nursery: subprocess.Popen[str], tmp_path: Path) -> Iterator[Swap]:
    with world_on(ground, tmp_path) as world:
        yield Swap(world, nursery, tmp_path / "boundaries.log")


def cleared(swap: Swap) -> Run:
    """Run the killed phase, and what comes after it, once more."""
    return swap.world.end(swap.run)


def never_again(swap: Swap) -> Run:
    """Leave the run as it is, and let the next night come."""
    return swap.world.run()


AFTERWARDS = pytest.mark.parametrize("afterwards", [cleared, never_again])


@AFTERWARDS
@pytest.mark.parametrize(("boundary", "nth"), BOUNDARIES, ids=str)
def test_a_swap_killed_anywhere_is_done_by_the_next_try_or_the_next_run(
    swap: Swap, boundary: str, nth: int, afterwards: Callable[[Swap], Run]
) -> None:
    swap.killed(boundary, nth)

    run = afterwards(swap)

    assert run.refused == {}
    assert run.problems == ()
    assert swap.ids() == [OTHERS, OWN]
    assert swap.world.differing() == {}
    assert owed_of(run.workspace) == []
    assert swap.world.run().sent == 0


@AFTERWARDS
def test_who_gave_up_in_vain_gets_it_back_though_the_process_was_killed(
    swap: Swap, afterwards: Callable[[Swap], Run]
) -> None:
    swap.killed(*GAVE_UP)
    between = swap.ids()
    swap.world.destination.lose("organisationUnits", MBOUR)  # Binta's: she is refused for good

    run = afterwards(swap)

    assert between == [None, OTHERS]
    assert run.refused[enrollment_of(AWA)] == ("refused", "E1064")
    assert run.refused[enrollment_of(BINTA)][0] == "refused"
    assert swap.ids() == [OWN, OTHERS]
    assert owed_of(run.workspace) == []


def test_what_could_not_be_given_back_stays_owed_until_it_can(swap: Swap) -> None:
    swap.killed(*GAVE_UP)
    world = swap.world
    world.destination.lose("organisationUnits", MBOUR)  # Binta's: she is refused for good
    world.destination.faults.order("status", status=500, method="POST", times=None)
    after = world.after(swap.run)

    Swapping(after, [], UniqueValues(swap.run.workspace.unique_values, after.model)).give_back()
    owed, between = owed_of(swap.run.workspace), swap.ids()
    world.destination.faults.clear()
    run = world.run()

    assert [each.person for each in owed] == [AWA]
    assert between == [None, OTHERS]
    assert run.refused[enrollment_of(AWA)] == ("refused", "E1064")
    assert swap.ids() == [OWN, OTHERS]
    assert owed_of(run.workspace) == []


def test_a_value_that_the_source_has_cleared_meanwhile_is_not_given_back(swap: Swap) -> None:
    swap.killed(*GAVE_UP)
    take(swap.world, AWA, None)
    take(swap.world, BINTA, "another")

    run = swap.world.run()

    assert swap.ids() == [None, "another"]
    assert run.refused == {}
    assert swap.world.differing() == {}
    assert owed_of(run.workspace) == []


def test_a_value_that_another_has_by_now_is_not_given_back_and_the_refusal_is_named(
    swap: Swap,
) -> None:
    swap.killed(*GAVE_UP)
    (nobody,) = [person("OtherPers09", PODOR)]
    nobody["enrollments"][0]["attributes"] = [{"attribute": NATIONAL_ID, "value": OWN}]
    swap.world.destination.write(trackedEntities=[nobody])

    run = swap.world.run()

    assert swap.ids() == [OTHERS, None]
    assert run.refused[enrollment_of(BINTA)] == ("refused", "E1064")
    assert enrollment_of(AWA) not in run.refused
    assert owed_of(run.workspace) == []


def test_the_state_and_the_ledgers_never_hold_the_value(swap: Swap) -> None:
    swap.killed(*GAVE_UP)

    kept = [owed.value for owed in owed_of(swap.run.workspace)]
    state = [*state_folder(swap.run.workspace).glob("*.parquet")]
    ledgers = [*swap.run.workspace.run.rglob("ledger.parquet")]

    assert kept == [OWN]
    assert OWN not in repr(owed_of(swap.run.workspace))
    assert swap.run.workspace.given_up.stat().st_mode & 0o777 == 0o600
    assert state
    assert ledgers
    for path in (*state, *ledgers):
        assert OWN not in str(pq.read_table(path).to_pylist())
