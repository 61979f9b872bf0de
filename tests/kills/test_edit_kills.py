"""Where edits at the destination are kept, what a killed load wrote is nobody's edit."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.people import AWA, BINTA, WEIGHT, case, enrollment, event_of, person, visit
from flows.world import Ground, Run, World, ground_of, world_on
from kills.jobs import Deadly, ended, load_of
from servers import put, read
from tracker_sync.servers import state_folder
from tracker_sync.state.compaction import compact
from tracker_sync.state.known import open_refusals


WRITE = "POST /api/tracker"
BEFORE, AFTER = f"before {WRITE}", f"after {WRITE}"
VISIT = ("value", event_of(AWA), WEIGHT)


@pytest.fixture(scope="module", params=["2.40.9", "2.43.1"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return ground_of(tmp_path_factory.mktemp("ground"), request.param)


class Kept:
    """Servers whose people are alike, and a route that keeps edits at the destination."""

    def __init__(self, world: World, nursery: subprocess.Popen[str], log: Path) -> None:
        self.world, self.nursery, self.log = world, nursery, log
        self.run: Run
        world.source.write(trackedEntities=[person(AWA), person(BINTA)], events=[case()])
        assert world.run(destination_edits="keep").totals["created"] == 7

    def killed(self, boundary: str) -> None:
        """Let the load of a run be killed in another process."""
        self.run = self.world.begin()
        (piece,) = self.run.slices
        bundles = self.world.bundles(self.run, piece)
        job = load_of(self.world, self.run, piece, bundles, Deadly(self.log, boundary))
        assert ended(self.nursery, job) == signal.SIGKILL
        self.world.destination.watch.rest()

    def weighed(self, kilograms: str, server: str = "source") -> None:
        """Let somebody write another weight into Awa's visit."""
        weight = {"dataElement": WEIGHT, "value": kilograms}
        getattr(self.world, server).write(events=[visit(dataValues=[weight])])

    def weight(self) -> Any:
        """Return the weight at the destination."""
        return self.world.destination.holds()[VISIT][0]


@pytest.fixture
def kept(ground: Ground, nursery: subprocess.Popen[str], tmp_path: Path) -> Iterator[Kept]:
    with world_on(ground, tmp_path) as world:
        yield Kept(world, nursery, tmp_path / "boundaries.log")


@pytest.mark.parametrize("edits", ["keep", "report"])
@pytest.mark.parametrize("boundary", [BEFORE, AFTER])
def test_what_a_killed_load_wrote_gives_way_to_what_the_source_has_by_the_next_night(
    kept: Kept, boundary: str, edits: str
) -> None:
    kept.weighed("70")
    kept.killed(boundary)
    compact(state_folder(kept.run.workspace))
    between = kept.weight()
    kept.weighed("71")

    run = kept.world.run(destination_edits=edits)

    assert between == {BEFORE: "61.5", AFTER: "70"}[boundary]
    assert run.refused == {}
    assert run.problems == ()
    assert kept.weight() == "71"
    assert kept.world.differing() == {}
    assert open_refusals(state_folder(run.workspace)) == {}


@pytest.mark.parametrize("boundary", [BEFORE, AFTER])
def test_what_somebody_edited_after_the_kill_is_kept(kept: Kept, boundary: str) -> None:
    kept.weighed("70")
    kept.killed(boundary)
    kept.weighed("99", "destination")
    kept.weighed("71")

    run = kept.world.run()

    assert run.refused == {event_of(AWA): ("held", "SYNC_DESTINATION_EDITED")}
    assert kept.weight() == "99"


def test_a_load_that_is_cleared_with_its_extract_is_no_edit_of_its_own(kept: Kept) -> None:
    kept.weighed("70")
    kept.killed(AFTER)
    kept.weighed("71")
    (piece,) = kept.run.slices

    kept.world.load(kept.run, piece, kept.world.bundles(kept.run, piece, attempt=2))
    run = kept.world.end(kept.run)

    assert run.refused == {}
    assert kept.weight() == "71"


def test_what_a_killed_load_wrote_is_deleted_with_the_source(kept: Kept) -> None:
    kept.weighed("70")
    kept.killed(AFTER)
    kept.world.source.remove(events=[{"event": event_of(AWA)}])

    run = kept.world.run(deletes="send")

    assert run.refused == {}
    assert run.totals["deleted"] == 1
    assert VISIT not in kept.world.destination.holds()


def test_what_a_killed_load_was_about_to_write_is_read_by_every_run(kept: Kept) -> None:
    kept.weighed("70")
    kept.killed(BEFORE)

    opened = open_refusals(state_folder(kept.run.workspace))

    assert {ref.uid for ref in opened} == {AWA}
    assert kept.world.run().refused == {}
    assert kept.weight() == "70"


def test_a_killed_load_that_re_opened_a_completed_event_has_not_edited_it(kept: Kept) -> None:
    stage = read(kept.world.destination.client, "programStages", visit()["programStage"])
    put(kept.world.destination.client, "programStages", {**stage, "blockEntryForm": True})
    kept.world.source.write(events=[visit(status="COMPLETED")])
    kept.world.run()
    kept.world.source.write(enrollments=[enrollment(events=[])])
    weight = {"dataElement": WEIGHT, "value": "70"}
    kept.world.source.write(events=[visit(status="COMPLETED", dataValues=[weight])])
    kept.killed(AFTER)
    kept.weighed("71")

    run = kept.world.run()

    assert run.refused == {}
    assert kept.weight() == "71"
