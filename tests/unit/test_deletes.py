"""What is deleted at the source is held; let go, it goes, children first, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from deleting import Road, below, delete, living, living_events, prepare, road_of, send
from dhis2_api.importer import Ref
from dhis2_sandbox.versions import DIALECTS
from servers import SURVEILLANCE
from tracker_sync.outcome import Outcome
from tracker_sync.steps.settle import RunNotClean, require_clean


Prepared = tuple[Path, str]  # the data files, and the version of both servers


@pytest.fixture(scope="module", params=[*DIALECTS])
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder, request.param)
    return folder, request.param


@pytest.fixture
def road(prepared: Prepared, tmp_path: Path) -> Iterator[Road]:
    folder, version = prepared
    with road_of(folder, tmp_path, version) as road:
        yield road


def test_a_deleted_person_is_held_until_the_route_sends_deletes(road: Road) -> None:
    one, other, third = road.people()
    road.run("one", [one, other, third])
    everything = living(road.destination, one, other, third)
    theirs = living(road.destination, one)
    assert len(theirs) >= 4
    delete(road.source, Ref("TRACKED_ENTITY", one))

    held = road.run("two", [one])

    assert held.problems == ()
    assert held.report["totals"]["held"] == len(theirs)
    assert {item["code"] for item in held.report["refusals"]} == {"SYNC_DELETE_HELD"}
    assert living(road.destination, one, other, third) == everything

    sent = road.run("three", [other], deletes="send")

    assert sent.problems == ()
    assert sent.report["totals"]["deleted"] == len(theirs)
    assert living(road.destination, one, other, third) == everything - theirs

    again = road.run("four", [one, other], deletes="send")

    assert again.problems == ()
    assert again.report["totals"]["sent"] == again.report["totals"]["held"] == 0


def test_a_deleted_event_and_a_deleted_enrollment_go_and_the_person_stays(road: Road) -> None:
    one, other, _ = road.people()
    road.run("one", [one, other])
    event = below(living(road.source, one), "EVENT")[0]
    (enrollment,) = below(living(road.source, other), "ENROLLMENT")
    delete(road.source, event)
    delete(road.source, enrollment)

    settled = road.run("two", [one, other], deletes="send")

    assert settled.problems == ()
    assert living(road.destination, one, other) == living(road.source, one, other)
    assert {event, enrollment} <= road.lines("two").keys()
    assert settled.report["totals"]["deleted"] == len(road.lines("two")) >= 4


def test_deleted_lone_events_go_too(road: Road) -> None:
    dead, alive = road.cases()
    road.run("one", [dead, alive], program=SURVEILLANCE)
    delete(road.source, Ref("EVENT", dead))

    held = road.run("two", [dead], program=SURVEILLANCE)
    sent = road.run("three", [alive], program=SURVEILLANCE, deletes="send")

    assert held.report["totals"]["held"] == sent.report["totals"]["deleted"] == 1
    assert living_events(road.destination, dead, alive) == {alive}


def test_what_was_deleted_by_hand_at_the_destination_is_no_work(road: Road) -> None:
    one, other, _ = road.people()
    road.run("one", [one, other])
    person = Ref("TRACKED_ENTITY", one)
    delete(road.source, person)
    road.run("two", [one])
    delete(road.destination, person)

    settled = road.run("three", [other], deletes="send")

    assert settled.problems == ()
    assert {line.outcome for line in road.lines("three").values()} == {Outcome.UNCHANGED}
    assert settled.report["totals"]["sent"] == 0


def test_more_than_a_run_may_delete_is_red_and_deletes_nothing(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker_sync.steps.sending_deletions.FEWEST", 3)
    one, other, _ = road.people()
    road.run("one", [one, other])
    everything = living(road.destination, one, other)
    theirs = living(road.source, one)
    assert len(theirs) > 3
    delete(road.source, Ref("TRACKED_ENTITY", one))

    stopped = road.run("two", [one], deletes="send")

    with pytest.raises(RunNotClean, match=rf"{len(theirs)} .*deletes_at_most"):
        require_clean(stopped)
    assert stopped.accounted
    assert living(road.destination, one, other) == everything

    allowed = road.run("three", [other], deletes="send", at_most=len(theirs))

    require_clean(allowed)
    assert living(road.destination, one, other) == everything - theirs


def test_what_was_entered_at_the_destination_holds_all_above_it(road: Road) -> None:
    one, other, _ = road.people()
    road.run("one", [one, other])
    copied = living(road.destination, one)
    (enrollment,) = below(copied, "ENROLLMENT")
    event = below(copied, "EVENT")[0]
    entered = Ref("EVENT", "enteredHere")
    fields = "event,program,programStage,enrollment,orgUnit,status,occurredAt"
    given = road.destination.get(f"/api/tracker/events/{event.uid}", {"fields": fields})
    stage = "NQAzEAcicmY"
    send(road.destination, {"events": [{**given, "event": entered.uid, "programStage": stage}]})
    delete(road.source, Ref("TRACKED_ENTITY", one))

    settled = road.run("two", [one], deletes="send")

    lines = road.lines("two")
    person = Ref("TRACKED_ENTITY", one)
    assert living(road.destination, one) == {person, enrollment, entered}
    assert {ref: line.code for ref, line in lines.items() if line.outcome is Outcome.HELD} == {
        person: "SYNC_DELETE_MORE_BELOW",
        enrollment: "SYNC_DELETE_MORE_BELOW",
    }
    assert settled.problems == ()

    delete(road.destination, entered)
    road.run("three", [other], deletes="send")

    assert living(road.destination, one) == set()


def test_who_was_restored_at_the_source_is_not_deleted(road: Road) -> None:
    one, other, _ = road.people()
    road.run("one", [one, other])
    everything = living(road.destination, one)
    event = below(everything, "EVENT")[0]
    delete(road.source, event)
    road.run("two", [one])
    undelete(road, event)

    red = road.run("three", [other], deletes="send")

    assert living(road.destination, one) == everything
    assert [item["code"] for item in red.report["refusals"]] == ["SYNC_DELETE_ALIVE_AGAIN"]
    green = road.run("four", [one], deletes="send")
    assert green.problems == ()
    assert road.lines("four") == {}


def undelete(road: Road, event: Ref) -> None:
    """Do what administrators do in the database: DHIS2 has no way back."""
    data = road.folder.parent / "from"
    with sqlite3.connect(data) as connection:
        done = connection.execute("UPDATE event SET deleted = 0 WHERE uid = ?", (event.uid,))
        assert done.rowcount == 1


def test_a_phase_that_is_cleared_tells_again_what_it_did_and_sends_nothing(road: Road) -> None:
    one, other, third = road.people()
    road.run("one", [one, other, third])
    delete(road.source, Ref("TRACKED_ENTITY", one))
    road.run("two", [one])
    event = below(living(road.source, other), "EVENT")[0]
    delete(road.source, event)
    first = road.run("three", [other], deletes="send").report["totals"]
    stamps = road.stamps(one, other)

    road.delete("three", deletes="send")
    again = road.settle("three", deletes="send").report["totals"]

    assert first["deleted"] >= 5
    assert again == first
    assert road.stamps(one, other) == stamps
