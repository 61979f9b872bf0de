"""Whoever is killed anywhere while deleting deletes the same in the end, and tells of it once."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flows.people import AWA, BINTA, COUMBA, enrollment, enrollment_of, event_of, person, visit
from flows.world import Ground, Run, World, world_on
from kills.jobs import Deadly, ended, phase_of


FIRST, SECOND, LAST = "first", "second", "last"
READ, WRITE = "GET /api/tracker/trackedEntities", "POST /api/tracker"
DEAD = {AWA, enrollment_of(AWA), event_of(AWA), event_of(AWA, 2), event_of(BINTA)}

# Every boundary between the phase and what outlives it, in the order it comes to them; where
# it comes to one more often, the first, the second or the last time.
BOUNDARIES = [
    ("open model.json", FIRST),
    ("open plan.json", FIRST),
    ("open ledger.parquet", FIRST),
    ("before reading state page", FIRST),
    ("after reading state page", LAST),
    ("request of GET /api/system/info", FIRST),
    (f"before {READ}", FIRST),
    (f"request of {READ}", FIRST),
    (f"after {READ}", FIRST),
    (f"after {READ}", SECOND),
    ("mkdir deletes", FIRST),
    ("open asked_to_delete.json draft", FIRST),
    ("before fsync of asked_to_delete.json draft", FIRST),
    ("after fsync of asked_to_delete.json draft", FIRST),
    ("rename asked_to_delete.json draft", FIRST),
    ("before fsync of deletes", FIRST),
    ("remove asked_to_delete.json draft", FIRST),
    (f"before {WRITE}", FIRST),
    (f"request of {WRITE}", FIRST),  # nothing has left
    (f"request of {WRITE}", SECOND),  # the headers have, and the body has not
    (f"after {WRITE}", FIRST),  # it was done, and nobody knows
    (f"before {WRITE}", SECOND),
    (f"after {WRITE}", SECOND),
    (f"request of {WRITE}", LAST),
    (f"after {WRITE}", LAST),
    (f"before {READ}", LAST),
    (f"after {READ}", LAST),
    ("open state page draft", FIRST),
    ("before row group of state page draft", FIRST),
    ("after footer of state page draft", FIRST),
    ("before fsync of state page draft", FIRST),
    ("rename state page draft", FIRST),
    ("remove state page draft", FIRST),
    ("before row group of state page draft", SECOND),
    ("before fsync of state page draft", SECOND),
    ("rename state page draft", SECOND),
    ("after fsync of state", LAST),
    ("remove state page draft", SECOND),
    ("remove ledger.sha256", FIRST),
    ("open ledger.parquet draft", FIRST),
    ("after row group of ledger.parquet draft", FIRST),
    ("before fsync of ledger.parquet draft", FIRST),
    ("rename ledger.parquet draft", FIRST),
    ("remove ledger.parquet draft", FIRST),
    ("rename ledger.sha256 draft", FIRST),
    ("open import_report.json draft", FIRST),
    ("rename import_report.json draft", FIRST),
    ("remove import_report.json draft", FIRST),
    ("end", FIRST),
]
MOST_OF_A_REQUEST = 3  # of five deletions, three are events


class Deleting:
    """A run whose slices are loaded: somebody and another's visit are to be deleted."""

    def __init__(self, world: World, nursery: subprocess.Popen[str], log: Path) -> None:
        world.source.write(trackedEntities=[everything_of(uid) for uid in (AWA, BINTA, COUMBA)])
        world.terms = {"deletes": "send"}
        assert world.run().totals["created"] == 12
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
        world.source.remove(events=[{"event": event_of(BINTA)}])
        self.world, self.nursery, self.log = world, nursery, log
        self.run: Run = world.begin()
        for piece in self.run.slices:
            world.load(self.run, piece, world.bundles(self.run, piece))
        world.destination.watch.imports.clear()

    def killed(self, boundary: str, nth: int) -> tuple[int, list[str]]:
        """Delete in another process; return the signal that ended it, and what it came to."""
        where = Deadly(self.log, boundary, nth)
        job = phase_of(self.world, self.run, "deletes", where)
        signalled = ended(self.nursery, job)
        self.world.destination.watch.rest()
        return signalled, self.log.read_text().splitlines()

    def sent(self) -> Counter[str]:
        """Return how often the deletion of each object was sent."""
        payloads: list[dict[str, Any]] = [*self.world.destination.watch.imports]
        objects = [item for payload in payloads for items in payload.values() for item in items]
        return Counter(uid for item in objects for uid in item.values())


def everything_of(uid: str) -> dict[str, Any]:
    return person(uid, enrollments=[enrollment(uid, events=[visit(uid), visit(uid, number=2)])])


@pytest.fixture
def deleting(world: World, nursery: subprocess.Popen[str], tmp_path: Path) -> Deleting:
    return Deleting(world, nursery, tmp_path / "boundaries.log")


@pytest.fixture(scope="module")
def comes_to(
    ground: Ground, nursery: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Every boundary that an undisturbed try comes to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with world_on(ground, folder) as world:
        deleting = Deleting(world, nursery, folder / "boundaries.log")
        ended, boundaries = deleting.killed("", 0)
        assert ended == 0
        assert deleting.sent() == dict.fromkeys(DEAD, 1)
    return boundaries


def test_the_boundaries_are_those_that_the_phase_comes_to(comes_to: list[str]) -> None:
    named = {boundary for boundary, _ in BOUNDARIES}

    assert len(set(BOUNDARIES)) == len(BOUNDARIES) >= 15
    assert named - set(comes_to) == set()
    assert comes_to.count(f"before {WRITE}") == 3


@pytest.mark.parametrize(("boundary", "when"), BOUNDARIES, ids=lambda text: text)
def test_a_phase_killed_anywhere_deletes_the_same_and_sends_at_most_a_request_twice(
    boundary: str, when: str, deleting: Deleting, comes_to: list[str]
) -> None:
    world, run = deleting.world, deleting.run
    nth = {FIRST: 1, SECOND: 2, LAST: comes_to.count(boundary)}[when]

    ended, before = deleting.killed(boundary, nth)
    world.end(run)

    assert ended == signal.SIGKILL
    assert before.count(boundary) == nth - 1
    assert world.differing() == {}
    assert run.problems == ()
    sent = deleting.sent()
    assert sent.keys() == DEAD
    assert sum(times - 1 for times in sent.values()) <= MOST_OF_A_REQUEST
    lines = world.phase(run, "deletes")
    assert sorted(line["uid"] for line in lines) == sorted(DEAD)
    assert {(line["outcome"], line["action"]) for line in lines} == {("stored", "deleted")}
    assert run.totals["deleted"] == len(DEAD)
    assert world.run().sent == 0
