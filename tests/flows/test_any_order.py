"""Whatever people do while runs crash and answers are lost, two quiet runs make the servers equal.

Hypothesis draws who does what, and when runs begin, load, crash and are cleared. The seed is
printed; `TRACKER_SYNC_SEED` plays its sequences again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from dhis2_api.errors import Dhis2Error, RequestRefused
from flows.people import (
    AWA,
    BINTA,
    COUMBA,
    MBOUR,
    NATIONAL_ID,
    PHONE,
    RUFISQUE,
    WEIGHT,
    case,
    contact,
    enrollment,
    enrollment_of,
    event_of,
    person,
    visit,
)
from flows.world import VERSIONS, Ground, Run, World, world_on
from servers import HIV
from tracker_sync.leases.lease import unguarded
from tracker_sync.runs.slicing import Slice
from tracker_sync.staging.package import Staged


SEED = int(os.environ.get("TRACKER_SYNC_SEED") or secrets.randbelow(2**32))
SEQUENCES = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 25
STEPS = 10
PEOPLE = (AWA, BINTA, COUMBA)
PLACES = (RUFISQUE, MBOUR)
WEIGHTS = ("48", "61.5", "73")


class Crash(Exception):
    """A worker dies; nothing that catches errors of servers catches this."""


class AnyOrder(RuleBasedStateMachine):
    """People and runs, in any order."""

    world: World
    folder: Path
    told: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.told["sequences"] = self.told.get("sequences", 0) + 1
        self.world.forget_everybody(self.folder / str(self.told["sequences"]))
        self.world.terms = {"deletes": "send"}
        self.staged: list[tuple[Run, Slice, Staged]] = []
        self.unstamped: set[str] = set()
        self.links = 0
        for uid in PEOPLE[:2]:
            self.world.source.write(trackedEntities=[person(uid)])
        self.world.source.write(events=[case()])

    # Two rules, in which a deed is drawn: Hypothesis switches whole rules off.

    @rule(
        deed=st.sampled_from(
            [
                *("add", "edit", "edit_a_case", "clear", "complete", "re_open", "take_an_id"),
                *("delete_a_visit", "delete_an_enrollment", "delete_a_person", "transfer"),
                *("relate", "unrelate"),
            ]
        ),
        who=st.integers(0, 2),
        what=st.integers(0, 2),
    )
    def live(self, deed: str, who: int, what: int) -> None:
        """Let somebody do something at the source; what it refuses was not done."""
        with suppress(RequestRefused):
            getattr(self, deed)(PEOPLE[who], what)
            self._did(deed)

    @rule(
        deed=st.sampled_from(
            ["run_all", "extract", "load", "load", "retry", "crash", "lose_answers"]
        ),
        which=st.integers(0, 99),
        dies_at=st.integers(1, 5),
    )
    def act(self, deed: str, which: int, dies_at: int) -> None:
        """Let a run do something, or die of it."""
        getattr(self, deed)(which, dies_at)

    def add(self, uid: str, what: int) -> None:
        self.world.source.write(trackedEntities=[person(uid, PLACES[what % 2])])

    def edit(self, uid: str, what: int) -> None:
        changed = [{"dataElement": WEIGHT, "value": WEIGHTS[what]}]
        self.world.source.write(events=[visit(uid, dataValues=changed)])

    def edit_a_case(self, _: str, what: int) -> None:
        result, age = case()["dataValues"]
        changed = {**age, "value": WEIGHTS[what][:2]}
        self.world.source.write(events=[case(dataValues=[result, changed])])

    def clear(self, uid: str, what: int) -> None:
        if what:
            weight = [{"dataElement": WEIGHT, "value": None}]
            self.world.source.write(events=[visit(uid, dataValues=weight)])
        else:
            phone = [{"attribute": PHONE, "value": None}]
            self.world.source.write(enrollments=[enrollment(uid, events=[], attributes=phone)])

    def complete(self, uid: str, what: int) -> None:
        done = {"status": "COMPLETED", "completedAt": f"2026-06-0{what + 1}T08:00:00.000"}
        self.world.source.write(enrollments=[enrollment(uid, events=[], **done)])

    def re_open(self, uid: str, _: int) -> None:
        self.world.source.write(enrollments=[enrollment(uid, events=[], status="ACTIVE")])

    def take_an_id(self, uid: str, what: int) -> None:
        taken = [{"attribute": NATIONAL_ID, "value": f"N-{what}"}]
        self.world.source.write(enrollments=[enrollment(uid, events=[], attributes=taken)])

    def delete_a_visit(self, uid: str, _: int) -> None:
        self.world.source.remove(events=[{"event": event_of(uid)}])

    def delete_an_enrollment(self, uid: str, _: int) -> None:
        self.world.source.remove(enrollments=[{"enrollment": enrollment_of(uid)}])

    def delete_a_person(self, uid: str, what: int) -> None:
        if what:  # less often than the rest: who is gone is gone
            self.world.source.remove(trackedEntities=[{"trackedEntity": uid}])

    def transfer(self, uid: str, what: int) -> None:
        self.world.source.give(uid, HIV, PLACES[what % 2])
        if self.world.version < "2.43":
            self.unstamped.add(uid)

    def relate(self, uid: str, _: int) -> None:
        self.links += 1  # a relationship that was deleted has used up its UID
        self.world.source.write(relationships=[contact(f"Link{self.links:07}", *pair_with(uid))])

    def unrelate(self, uid: str, _: int) -> None:
        for link in living_links(self.world, *pair_with(uid)):
            self.world.source.remove(relationships=[{"relationship": link}])

    # What runs do, and what becomes of them.

    def run_all(self, _: int, __: int) -> None:
        with self._at_risk("run"):
            self.world.run()

    def extract(self, _: int = 0, __: int = 0) -> None:
        with self._at_risk("extract"):
            run = self.world.begin()
            for piece in run.slices:
                self.staged.append((run, piece, self.world.bundles(run, piece)))

    def load(self, which: int, dies_at: int) -> None:
        """Load a package: for the first time, again, or long after a newer run."""
        if not self.staged:
            self.extract()
        if self.staged:
            run, piece, bundles = self.staged[which % len(self.staged)]
            with self._at_risk("load", dies_at if which % 3 == 0 else None):
                self.world.load(run, piece, bundles)
                self.world.end(run)

    def crash(self, _: int, dies_at: int) -> None:
        """Begin a whole run whose worker dies before a write request."""
        with self._at_risk("crash", dies_at):
            self.world.run()

    def retry(self, _: int, __: int) -> None:
        """Clear the loads of the newest run, and all that comes after them."""
        if self.world.runs:
            newest = self.world.runs[-1]
            with self._at_risk("retry"):
                for run, piece, bundles in self.staged:
                    if run is newest:
                        self.world.load(run, piece, bundles)
                self.world.end(newest)

    def lose_answers(self, which: int, times: int) -> None:
        """Let the next answers to writes be lost, before or after the work."""
        done, times = which % 2 == 0, 1 + times % 2
        self.world.destination.faults.order(
            "reset", method="POST", path="/api/tracker", done=done, times=times
        )
        self._did("lost after" if done else "lost before")

    def teardown(self) -> None:
        """Let the faults stop, run twice, and hold the servers against one another."""
        self.world.destination.faults.clear()
        self.world.run()
        last = self.world.run()
        stamps = self.world.destination.stamps()
        third = self.world.run()
        differing = {
            key: both
            for key, both in self.world.differing().items()
            if not (key[0] == "owner" and key[1] in self.unstamped)
            and not set(key) & last.refused.keys()
        }
        assert differing == {}, f"seed {SEED}"
        assert {outcome for outcome, _ in last.refused.values()} <= {"refused"}, f"seed {SEED}"
        assert (third.sent, third.problems) == (0, ()), f"seed {SEED}"
        assert self.world.destination.stamps() == stamps, f"seed {SEED}"

    @contextmanager
    def _at_risk(self, what: str, dies_at: int | None = None) -> Iterator[None]:
        """Let a run be stopped by servers, or by a worker that dies before a write request."""
        writes = iter(range(1, 10**6))

        def dying() -> None:
            if next(writes) == dies_at:
                raise Crash

        self.world.before_write = dying if dies_at else unguarded
        try:
            yield
            self._did(what)
        except Crash:
            self._did("died")
        except Dhis2Error:
            self._did("stopped")
        finally:
            self.world.before_write = unguarded
            self.world.destination.watch.rest()

    def _did(self, what: str) -> None:
        self.told[what] = self.told.get(what, 0) + 1


def pair_with(uid: str) -> tuple[str, str]:
    """Return a person, and the next one."""
    return uid, PEOPLE[(PEOPLE.index(uid) + 1) % len(PEOPLE)]


def living_links(world: World, one: str, other: str) -> list[str]:
    """Return the relationships between two people at the source."""
    ends = "from_uid = ? AND to_uid = ? AND deleted = 0"
    with world.source.sandbox.database.reading() as connection:
        rows = connection.execute(
            f"SELECT uid FROM relationship WHERE {ends}",  # noqa: S608 - the text above
            (one, other),
        )
        return [row["uid"] for row in rows]


@pytest.mark.timeout(10_000)
@pytest.mark.parametrize("version", VERSIONS)
def test_when_faults_stop_two_runs_reach_equality(
    version: str,
    grounds: Callable[[str], Ground],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    told: dict[str, int] = {}
    print(f"seed {SEED}")  # noqa: T201 - who reads of a failure needs it
    record_property("seed", SEED)
    with world_on(grounds(version), tmp_path) as world:
        bound = {"world": world, "folder": tmp_path / "runs", "told": told}
        machine = seed(SEED)(type("AnyOrderHere", (AnyOrder,), bound))
        run_state_machine_as_test(machine, settings=SETTINGS)

    assert told["sequences"] >= SEQUENCES
    assert len(told.keys() & DEEDS) > 12, told
    record_property("told", str(told))


SETTINGS = settings(
    max_examples=SEQUENCES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
DEEDS = {
    *("add", "edit", "edit_a_case", "clear", "complete", "re_open", "take_an_id"),
    *("delete_a_visit", "delete_an_enrollment", "delete_a_person", "transfer", "relate"),
    *("unrelate", "run", "extract", "load", "retry", "crash", "died", "lost before", "lost after"),
}
