"""Whoever is killed anywhere while loading loses nothing: the next try makes both servers equal."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from flows.people import person
from flows.world import Ground, Run, World, world_on
from kills.jobs import Deadly, ended, load_of
from tracker_sync.route import Batches
from tracker_sync.runs.slicing import Slice
from tracker_sync.staging.package import Staged


A_BATCH = 2
ONE_AT_A_TIME = Batches(tracked_entities=A_BATCH)  # as a route has it that says nothing
TWO_AT_A_TIME = Batches(tracked_entities=A_BATCH, in_parallel=2)
SLOW = 2.0
PEOPLE = tuple(f"LoadedPer{number:02}" for number in range(6))
FIRST, SECOND, LAST = "first", "second", "last"
READ, WRITE = "GET /api/tracker/trackedEntities", "POST /api/tracker"

# Every boundary between the step and what outlives it, in the order it comes to them; where
# it comes to one more often, the first, the second or the last time.
BOUNDARIES = [
    ("remove ledger.parquet", FIRST),
    ("open attempts draft", FIRST),
    ("rename attempts draft", FIRST),
    ("open manifest.json", FIRST),
    ("open model.json", FIRST),
    ("open servers.json", FIRST),
    ("before reading bundles.parquet", LAST),
    ("after reading bundles.parquet", LAST),
    ("before GET /api/system/info", FIRST),
    (f"before {READ}", FIRST),
    (f"request of {READ}", FIRST),
    (f"after {READ}", FIRST),
    (f"before {WRITE}", FIRST),
    (f"request of {WRITE}", FIRST),  # nothing has left
    (f"request of {WRITE}", SECOND),  # the headers have, and the body has not
    (f"before answer of {WRITE}", FIRST),  # all of it has left
    (f"after {WRITE}", FIRST),  # it was done, and nobody knows
    (f"before {READ}", SECOND),
    (f"before {WRITE}", SECOND),
    (f"after {WRITE}", SECOND),
    (f"request of {WRITE}", LAST),
    (f"after {WRITE}", LAST),
    (f"after {READ}", LAST),
    ("mkdir state", FIRST),
    ("open state page draft", FIRST),
    ("before row group of state page draft", FIRST),
    ("after row group of state page draft", FIRST),
    ("before footer of state page draft", FIRST),
    ("after footer of state page draft", FIRST),
    ("before fsync of state page draft", FIRST),
    ("after fsync of state page draft", FIRST),
    ("rename state page draft", FIRST),
    ("remove state page draft", FIRST),
    ("open loaded.json draft", FIRST),
    ("before fsync of loaded.json draft", FIRST),
    ("rename loaded.json draft", FIRST),
    ("remove loaded.json draft", FIRST),
    ("remove ledger.sha256", FIRST),
    ("open ledger.parquet draft", FIRST),
    ("before row group of ledger.parquet draft", FIRST),
    ("after footer of ledger.parquet draft", FIRST),
    ("before fsync of ledger.parquet draft", FIRST),
    ("rename ledger.parquet draft", FIRST),
    ("remove ledger.parquet draft", FIRST),
    ("open ledger.sha256 draft", FIRST),
    ("rename ledger.sha256 draft", FIRST),
    ("open import_report.json draft", FIRST),
    ("rename import_report.json draft", FIRST),
    ("remove import_report.json draft", FIRST),
    ("end", FIRST),
]


class Loading:
    """A slice of three batches, extracted and transformed, and not yet loaded."""

    def __init__(
        self,
        world: World,
        nursery: subprocess.Popen[str],
        log: Path,
        batches: Batches = ONE_AT_A_TIME,
    ) -> None:
        world.source.write(trackedEntities=[person(uid) for uid in PEOPLE])
        world.terms = {"batches": batches}
        self.world, self.nursery, self.log = world, nursery, log
        self.run: Run = world.begin()
        self.piece: Slice
        (self.piece,) = self.run.slices
        self.bundles: Staged = world.bundles(self.run, self.piece)

    def killed(self, boundary: str, nth: int, *, at_rest: bool = True) -> tuple[int, list[str]]:
        """Load in another process; return the signal that ended it, and what it came to before.

        Unless *at_rest*, the destination may still work on what it was sent.
        """
        where = Deadly(self.log, boundary, nth)
        job = load_of(self.world, self.run, self.piece, self.bundles, where)
        signalled = ended(self.nursery, job)
        if at_rest:
            self.world.destination.watch.rest()
        return signalled, self.log.read_text().splitlines()

    def tried_again(self) -> None:
        """Load here, and do all that comes after."""
        self.world.load(self.run, self.piece, self.bundles)
        self.world.destination.watch.rest()
        self.world.end(self.run)

    def sent_twice(self) -> int:
        """Return how many people were sent in vain."""
        return sum(times - 1 for times in self.sent().values())

    def sent(self) -> Counter[str]:
        """Return how often each person was sent."""
        payloads = self.world.destination.watch.imports
        return Counter(
            item["trackedEntity"] for payload in payloads for item in payload["trackedEntities"]
        )


@pytest.fixture
def loading(world: World, nursery: subprocess.Popen[str], tmp_path: Path) -> Loading:
    return Loading(world, nursery, tmp_path / "boundaries.log")


@pytest.fixture(scope="module")
def comes_to(
    ground: Ground, nursery: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Every boundary that an undisturbed try comes to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with world_on(ground, folder) as world:
        loading = Loading(world, nursery, folder / "boundaries.log")
        ended, boundaries = loading.killed("", 0)
        assert ended == 0
        assert loading.sent() == dict.fromkeys(PEOPLE, 1)
    return boundaries


def test_the_boundaries_are_those_that_the_step_comes_to(comes_to: list[str]) -> None:
    named = {boundary for boundary, _ in BOUNDARIES}

    assert len(set(BOUNDARIES)) == len(BOUNDARIES) >= 15
    assert named - set(comes_to) == set()
    assert {kind_of(item) for item in comes_to} == {kind_of(item) for item in named} == {*KINDS}
    assert comes_to.count(f"before {WRITE}") == 3


def kind_of(boundary: str) -> str:
    """Return what is done, without before or after, and to which file or address."""
    plain = boundary.removeprefix("before ").removeprefix("after ")
    return next(kind for kind in KINDS if plain.startswith(kind))


KINDS = [
    *("open", "rename", "remove", "mkdir", "fsync", "row group", "footer", "reading"),
    *("request", "answer", "GET", "POST", "end"),
]


@pytest.mark.parametrize(("boundary", "when"), BOUNDARIES, ids=lambda text: text)
def test_a_load_killed_anywhere_loses_nothing_and_sends_at_most_a_batch_twice(
    boundary: str, when: str, loading: Loading, comes_to: list[str]
) -> None:
    assert loading.run.route.batches.in_parallel == 1
    nth = {FIRST: 1, SECOND: 2, LAST: comes_to.count(boundary)}[when]

    ended, before = loading.killed(boundary, nth)
    loading.tried_again()

    assert ended == signal.SIGKILL
    assert before.count(boundary) == nth - 1
    assert loading.sent_twice() <= A_BATCH
    assert_nothing_is_lost(loading)


def assert_nothing_is_lost(loading: Loading) -> None:
    """Assert that the servers are equal, and the ledger whole."""
    world, run = loading.world, loading.run
    assert world.differing() == {}
    assert run.problems == ()
    assert loading.sent().keys() == set(PEOPLE)
    refs = Counter(zip(*(run.ledger()[name].to_pylist() for name in ("kind", "uid")), strict=True))
    assert len(refs) == run.totals["read"] == 4 * len(PEOPLE)  # with their owners
    assert set(refs.values()) == {1}
    assert world.run().sent == 0


def test_the_batch_that_goes_twice_is_the_one_the_server_still_works_on(loading: Loading) -> None:
    busy(loading.world, requests=1)

    ended, _ = loading.killed(f"before answer of {WRITE}", 1, at_rest=False)
    loading.tried_again()

    assert ended == signal.SIGKILL
    assert loading.sent_twice() == A_BATCH
    assert_nothing_is_lost(loading)


def busy(world: World, requests: int) -> None:
    """Have the destination begin to work on the next imports when a retry has compared."""
    order = world.destination.faults.order
    order("latency", method="POST", path="/api/tracker", times=requests, seconds=SLOW)


@pytest.fixture
def two_at_a_time(world: World, nursery: subprocess.Popen[str], tmp_path: Path) -> Loading:
    return Loading(world, nursery, tmp_path / "boundaries.log", TWO_AT_A_TIME)


def test_with_two_requests_under_way_two_batches_may_go_twice_and_no_more(
    two_at_a_time: Loading,
) -> None:
    busy(two_at_a_time.world, requests=2)

    ended, _ = two_at_a_time.killed(f"before answer of {WRITE}", 2, at_rest=False)
    two_at_a_time.tried_again()

    assert ended == signal.SIGKILL
    assert two_at_a_time.sent_twice() == 2 * A_BATCH
    assert_nothing_is_lost(two_at_a_time)


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize(
    "boundary",
    [
        *(f"before {READ}", f"after {READ}", f"before {WRITE}", f"request of {WRITE}"),
        *(f"before answer of {WRITE}", f"after {WRITE}"),
    ],
)
def test_a_load_with_two_requests_under_way_loses_nothing_when_killed_at_one(
    boundary: str, nth: int, two_at_a_time: Loading
) -> None:
    ended, _ = two_at_a_time.killed(boundary, nth)
    two_at_a_time.tried_again()

    assert ended == signal.SIGKILL
    assert two_at_a_time.sent_twice() <= 2 * A_BATCH
    assert_nothing_is_lost(two_at_a_time)
