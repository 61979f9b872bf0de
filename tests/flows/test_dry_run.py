"""A dry run tells what the next run does, kind by kind, and asks the destination for nothing."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.expected import assert_equal
from flows.people import (
    AWA,
    BINTA,
    COUMBA,
    LABORATORY,
    MBOUR,
    PODOR,
    REPORT,
    WEIGHT,
    case,
    contact,
    enrollment,
    enrollment_of,
    event_of,
    person,
    visit,
)
from flows.world import Run, World
from servers import HIV, OLDEST_AND_NEWEST


DEMBA, FILE = "DembaPers04", "FileReport1"
OLD_LINK, NEW_LINK = "ContactLnk1", "ContactLnk2"
HELD, ABOVE_CAP = "SYNC_DELETE_HELD", "SYNC_DELETE_ABOVE_CAP"
# Kind -> what the plan calls what the ledger calls otherwise.
WORDS = {
    "FILE": {"created": "uploaded"},
    "NOTE": {"created": "added"},
    "OWNER": {"changed": "transferred"},
    "RELATIONSHIP": {"created": "related", "deleted": "unrelated"},
}
Did = dict[tuple[str, str], str]


pytestmark = pytest.mark.parametrize("ground", OLDEST_AND_NEWEST, indirect=True)


def with_a_night_before(world: World) -> None:
    """Copy three people, two of whom know one another, and then let all kinds of things happen."""
    world.source.write(trackedEntities=[person(), person(BINTA), person(COUMBA)], events=[case()])
    world.source.write(relationships=[contact(OLD_LINK, AWA, BINTA)])
    first = world.run()
    assert first.totals["created"] > 10
    assert world.differing() == {}
    world.source.remove(trackedEntities=[{"trackedEntity": COUMBA}])
    world.source.remove(relationships=[{"relationship": OLD_LINK}])
    world.source.upload(FILE, b"a report")
    world.source.write(trackedEntities=[with_a_report(DEMBA)])
    world.source.write(relationships=[contact(NEW_LINK, DEMBA, AWA)])
    heavier = visit(BINTA, dataValues=[{"dataElement": WEIGHT, "value": "70"}])
    world.source.write(events=[{**heavier, "notes": [note("NoteOfBinta")]}])
    for uid, place in ((BINTA, MBOUR), (DEMBA, PODOR)):
        world.source.give(uid, HIV, place)


def with_a_report(uid: str) -> dict[str, Any]:
    values = [{"dataElement": REPORT, "value": FILE}]
    checked = visit(uid, number=2, programStage=LABORATORY, dataValues=values)
    events = [checked, visit(uid, notes=[note("NoteOfDemba")])]
    return person(uid, enrollments=[enrollment(uid, events=events)])


def note(uid: str) -> dict[str, str]:
    return {"note": uid, "value": "came on foot"}


def dry(world: World, **terms: Any) -> Run:
    """Run dry, and see that the destination and the state are as they were."""
    state = sorted(path.name for path in world.folder.rglob("state/*/*"))
    before, stamps = world.destination.holds(), world.destination.stamps()
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        world.destination.faults.order("latency", method=method, path=".*", seconds=0, times=None)
    world.dry_run = True
    run = world.run(**terms)
    world.dry_run = False
    asked = [order["met"] for order in world.destination.faults.told()]
    world.destination.faults.clear()
    assert asked == [0] * 4
    assert (world.destination.holds(), world.destination.stamps()) == (before, stamps)
    assert sorted(path.name for path in world.folder.rglob("state/*/*")) == state != []
    assert run.sent == 0
    return run


def plan_of(run: Run) -> list[dict[str, Any]]:
    paths = sorted(run.workspace.run.glob("*/planned.parquet"))
    assert len(paths) > 5
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def planned(run: Run) -> Did:
    rows = plan_of(run)
    told = {(row["kind"], row["uid"]): row["action"] for row in rows}
    assert len(told) == len(rows)
    return told


def done(run: Run) -> Did:
    """Return what a run did, in the words of a plan."""
    rows = pq.read_table(run.workspace.run_ledger).to_pylist()
    return {
        (row["kind"], row["uid"]): WORDS.get(row["kind"], {}).get(row["action"], row["action"])
        for row in rows
        if row["outcome"] == "stored"
    }


def test_a_dry_run_names_what_the_run_after_it_does_of_every_kind(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with_a_night_before(world)
    caplog.set_level("INFO")

    run = dry(world, deletes="send")

    told = planned(run)
    assert told["FILE", FILE] == "uploaded"
    assert told["NOTE", "NoteOfBinta"] == told["NOTE", "NoteOfDemba"] == "added"
    assert told["OWNER", f"{BINTA}:{HIV}"] == told["OWNER", f"{DEMBA}:{HIV}"] == "transferred"
    assert (told["RELATIONSHIP", NEW_LINK], told["RELATIONSHIP", OLD_LINK]) == (
        "related",
        "unrelated",
    )
    assert {told["ENROLLMENT", enrollment_of(COUMBA)], told["EVENT", event_of(COUMBA)]} == {
        "deleted"
    }
    assert told["TRACKED_ENTITY", DEMBA] == "created"
    assert told["EVENT", event_of(BINTA)] == "changed"
    for count in ("1 FILE would be uploaded", "2 NOTE would be added", "1 EVENT would be deleted"):
        assert f"dry run: {count}" in caplog.text
    assert "came on foot" not in caplog.text
    assert done(world.run()) == told
    assert_equal(world)


def test_a_dry_run_names_deletions_that_the_route_holds(world: World) -> None:
    with_a_night_before(world)

    run = dry(world, deletes="hold")

    held = {row["uid"]: row["code"] for row in plan_of(run) if row["action"] == "held"}
    assert held == dict.fromkeys([COUMBA, enrollment_of(COUMBA), event_of(COUMBA), OLD_LINK], HELD)
    assert run.problems == ()


def test_a_dry_run_names_deletions_that_are_more_than_a_run_may_send(world: World) -> None:
    with_a_night_before(world)
    world.deletes_at_most = 3

    run = dry(world, deletes="send")

    plan = {row["uid"]: (row["action"], row["code"]) for row in plan_of(run)}
    assert plan[COUMBA] == ("deleted", None)
    assert plan[OLD_LINK] == ("held", ABOVE_CAP)
    assert any(ABOVE_CAP in problem for problem in run.problems)
