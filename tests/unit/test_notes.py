"""Notes that the destination lacks get there, and nothing else moves for their sake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_sandbox.versions import DIALECTS
from road import Road, road_of
from servers import HIV, SENEGAL, SURVEILLANCE
from tracker_sync.notes.held import read_held
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.servers import state_folder
from tracker_sync.staging.package import Staged, open_package, staged, writing_package
from tracker_sync.state.fold import fold
from tracker_sync.state.known import open_refusals
from tracker_sync.steps import notes
from tracker_sync.steps.transform import transform


AWA, ENROLLMENT = "tIazUHAG6ZW", "dwHeBezZZ6t"  # completed, with one note
COMPLETED_EVENT = "f7sedmUE3eD"  # completed, with one note


# Within its object up to 2.41, by itself from 2.42 on.
ONE_OF_EACH_WAY = ["2.41.8", "2.42.4"]


@pytest.fixture(params=sorted(DIALECTS))
def road(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with road_of(tmp_path, request.param, HIV) as road:
        yield road


@pytest.fixture(params=sorted(DIALECTS))
def cases(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with road_of(tmp_path, request.param, SURVEILLANCE, alone=True) as road:
        yield road


def add(client: Dhis2Client, kind: str, uid: str, note: str, text: str) -> None:
    """Write a note as somebody at that server would: within the object."""
    held = client.get(f"/api/tracker/{kind}/{uid}", {"fields": "*,!relationships,!notes,!events"})
    payload = {kind: [held | {"notes": [{"note": note, "value": text}]}]}
    assert client.post("/api/tracker", payload, {"async": "false"}).json()["status"] == "OK"


def notes_at(client: Dhis2Client, kind: str, uid: str) -> dict[str, str]:
    found = client.get(f"/api/tracker/{kind}/{uid}", {"fields": "notes[note,value]"})["notes"]
    return {note["note"]: note["value"] for note in found}


def whole(client: Dhis2Client, kind: str, uid: str) -> dict[str, Any]:
    """An object but for what any write of it moves."""
    held: dict[str, Any] = client.get(f"/api/tracker/{kind}/{uid}", {"fields": "*,!notes,!events"})
    return {name: value for name, value in held.items() if name not in {"updatedAt", "updatedBy"}}


def of_notes(entries: list[Entry]) -> dict[str, Entry]:
    assert {entry.ref.kind for entry in entries} <= {"NOTE"}
    return {entry.ref.uid: entry for entry in entries}


def test_notes_of_enrollments_and_events_get_there_once_under_their_uids(road: Road) -> None:
    road.loaded("one", AWA)
    first = of_notes(road.phase("notes", notes.run, "one"))
    again = of_notes(road.phase("notes", notes.run, "one"))

    road.loaded("two", AWA)
    second = of_notes(road.phase("notes", notes.run, "two"))

    assert len(first) == 4
    assert {line.outcome for line in first.values()} == {Outcome.STORED}
    assert {line.action for line in first.values()} == {"created"}
    for later in (again, second):
        assert later.keys() == first.keys()
        assert {(line.outcome, line.sent) for line in later.values()} == {
            (Outcome.UNCHANGED, False)
        }
    for kind, uid in (("enrollments", ENROLLMENT), ("events", COMPLETED_EVENT)):
        there = notes_at(road.destination, kind, uid)
        assert there == notes_at(road.source, kind, uid) != {}
    assert road.settled("two")["problems"] == []


def test_a_note_reopens_nothing_clears_nothing_and_its_object_stays_as_it_is(road: Road) -> None:
    road.loaded("one", AWA)
    point = {"type": "Point", "coordinates": [-17.1, 14.7]}
    enriched = whole(road.destination, "enrollments", ENROLLMENT) | {
        "followUp": True,
        "geometry": point,
        "storedBy": "somebody",
        "createdAtClient": "2026-01-02T03:04:05.000",
    }
    posted = {"enrollments": [enriched]}
    road.destination.post("/api/tracker", posted, {"async": "false"})
    before = {
        (kind, uid): whole(road.destination, kind, uid)
        for kind, uid in (("enrollments", ENROLLMENT), ("events", COMPLETED_EVENT))
    }
    assert before["enrollments", ENROLLMENT]["status"] == "COMPLETED"
    assert before["enrollments", ENROLLMENT]["geometry"] == point
    assert before["events", COMPLETED_EVENT]["dataValues"]

    added = of_notes(road.phase("notes", notes.run, "one"))

    assert {line.outcome for line in added.values()} == {Outcome.STORED}
    for (kind, uid), held in before.items():
        assert whole(road.destination, kind, uid) == held


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
def test_a_note_that_only_the_destination_has_stays_and_no_text_is_rewritten(road: Road) -> None:
    road.loaded("one", AWA)
    (shared,) = notes_at(road.source, "enrollments", ENROLLMENT)
    add(road.destination, "enrollments", ENROLLMENT, "theirsOnly1", "of the destination")
    add(road.destination, "enrollments", ENROLLMENT, shared, "another text")

    added = of_notes(road.phase("notes", notes.run, "one"))

    assert added[shared].outcome is Outcome.UNCHANGED
    assert notes_at(road.destination, "enrollments", ENROLLMENT) == {
        "theirsOnly1": "of the destination",
        shared: "another text",
    }


def test_notes_of_events_without_registration_get_there(cases: Road) -> None:
    uid = _a_case(cases)
    add(cases.source, "events", uid, "noteOfCase1", "seen at the market")

    cases.loaded("one", uid)
    first = of_notes(cases.phase("notes", notes.run, "one"))
    second = of_notes(cases.phase("notes", notes.run, "one"))

    assert first["noteOfCase1"].outcome is Outcome.STORED
    assert (first["noteOfCase1"].tracked_entity, first["noteOfCase1"].lone_event) == (None, uid)
    assert second["noteOfCase1"].outcome is Outcome.UNCHANGED
    assert notes_at(cases.destination, "events", uid) == {"noteOfCase1": "seen at the market"}


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
def test_a_note_of_what_was_refused_is_not_sent_and_goes_when_that_is_stored(road: Road) -> None:
    option = road.destination.get("/api/options", {"filter": "code:eq:F", "fields": "*"})
    (female,) = option["options"]
    road.destination.request("DELETE", f"/api/options/{female['id']}")
    ledger = road.loaded("one", AWA)
    assert Outcome.REFUSED in {entry.outcome for entry in ledger}

    first = of_notes(road.phase("notes", notes.run, "one"))
    road.loaded("two", AWA)
    second = of_notes(road.phase("notes", notes.run, "two"))

    assert first
    assert {(n.outcome, n.code, n.known) for n in first.values()} == {
        (Outcome.REFUSED, "E5000", False)
    }
    assert {(n.outcome, n.code, n.known) for n in second.values()} == {
        (Outcome.REFUSED, "E5000", True)
    }
    assert not any(line.sent for line in [*first.values(), *second.values()])


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
def test_a_note_with_a_nul_character_is_refused_and_its_neighbours_go(road: Road) -> None:
    poisoned = _with_text(road.extracted("one", AWA), "RacTEIidemC", "a NUL: \0")
    road.load("one", transform(road.workspace("one"), poisoned).package)

    added = of_notes(road.phase("notes", notes.run, "one"))

    assert (added["RacTEIidemC"].outcome, added["RacTEIidemC"].code) == (
        Outcome.REFUSED,
        "SYNC_NUL_CHARACTER",
    )
    others = [line for uid, line in added.items() if uid != "RacTEIidemC"]
    assert {line.outcome for line in others} == {Outcome.STORED}


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
def test_a_note_whose_uid_another_object_has_is_refused_and_its_neighbours_go(road: Road) -> None:
    road.loaded("one", AWA)
    (shared,) = notes_at(road.source, "enrollments", ENROLLMENT)
    add(road.destination, "events", COMPLETED_EVENT, shared, "somebody else's")

    added = of_notes(road.phase("notes", notes.run, "one"))

    assert (added[shared].outcome, added[shared].code) == (Outcome.REFUSED, "SYNC_NOTE_REFUSED")
    others = [line for uid, line in added.items() if uid != shared]
    assert {line.outcome for line in others} == {Outcome.STORED}
    folder = state_folder(road.workspace("one"))
    assert ("TRACKED_ENTITY", AWA) in open_refusals(folder)


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
@pytest.mark.parametrize("done", [False, True], ids=["before the work", "after the work"])
def test_a_lost_answer_loses_no_note_and_sends_none_twice(road: Road, *, done: bool) -> None:
    road.loaded("one", AWA)
    within = road.destination.dialect.version in {"2.40", "2.41"}
    path = "/api/tracker\\?" if within else "/note"
    road.faults().order("reset", method="POST", path=path, after=0 if within else 1, done=done)

    added = of_notes(road.phase("notes", notes.run, "one"))

    (rule,) = road.faults().told()
    assert rule["met"] == 1
    assert {line.outcome for line in added.values()} == {Outcome.STORED}
    for kind, uid in (("enrollments", ENROLLMENT), ("events", COMPLETED_EVENT)):
        assert notes_at(road.destination, kind, uid) == notes_at(road.source, kind, uid)


@pytest.mark.parametrize("road", ["2.42.4"], indirect=True)
@pytest.mark.parametrize("status", [403, 500], ids=["a firewall", "the server"])
def test_a_note_that_is_stopped_by_itself_does_not_hold_up_the_others(
    road: Road, status: int
) -> None:
    road.loaded("one", AWA)
    path = f"/enrollments/{ENROLLMENT}/note"
    road.faults().order("status", method="POST", path=path, status=status, times=None)

    added = of_notes(road.phase("notes", notes.run, "one"))

    outcomes = [(line.outcome, line.code) for line in added.values()]
    assert outcomes.count((Outcome.REFUSED, "SYNC_NOTE_REFUSED")) == 1
    assert outcomes.count((Outcome.STORED, None)) == len(added) - 1 > 0


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
def test_a_run_that_died_among_its_notes_is_repeated_without_a_second_one(road: Road) -> None:
    road.loaded("one", AWA)
    within = road.destination.dialect.version in {"2.40", "2.41"}
    path = "/api/tracker\\?" if within else "/note"
    road.faults().order("reset", method="POST", path=path, times=None, after=0 if within else 2)
    with pytest.raises(TransientError):
        road.phase("notes", notes.run, "one")
    road.faults().clear()

    added = of_notes(road.phase("notes", notes.run, "one"))

    stored = [line for line in added.values() if line.outcome is Outcome.STORED]
    assert len(added) == 4
    assert len(stored) == (4 if within else 2)
    assert {line.outcome for line in added.values()} <= {Outcome.STORED, Outcome.UNCHANGED}
    assert notes_at(road.destination, "enrollments", ENROLLMENT) == notes_at(
        road.source, "enrollments", ENROLLMENT
    )


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
def test_what_is_deleted_at_the_source_has_no_notes_any_more(road: Road) -> None:
    road.loaded("one", AWA)
    road.source.post(
        "/api/tracker",
        {"enrollments": [{"enrollment": ENROLLMENT}]},
        {"async": "false", "importStrategy": "DELETE"},
    )

    road.loaded("two", AWA)
    added = of_notes(road.phase("notes", notes.run, "two"))

    assert added == {}
    assert notes_at(road.destination, "enrollments", ENROLLMENT) == {}


@pytest.mark.parametrize("road", ONE_OF_EACH_WAY, indirect=True)
def test_a_note_of_what_is_kept_at_the_destination_gets_there_and_the_edit_stays(
    road: Road,
) -> None:
    road = replace(road, terms={"destination_edits": "keep"})
    road.loaded("one", AWA)
    road.phase("notes", notes.run, "one")
    path = f"/api/tracker/enrollments/{ENROLLMENT}"
    held = road.destination.get(path, {"fields": "*,!relationships,!notes,!events"})
    edited = {"enrollments": [{**held, "occurredAt": "2020-02-02T00:00:00.000"}]}
    road.destination.post("/api/tracker", edited, {"async": "false"})
    add(road.source, "enrollments", ENROLLMENT, "noteOfNight", "came later")

    ledger = {entry.ref.uid: entry for entry in road.loaded("two", AWA)}
    added = of_notes(road.phase("notes", notes.run, "two"))

    assert ledger[ENROLLMENT].outcome is Outcome.HELD
    assert added["noteOfNight"].outcome is Outcome.STORED
    assert "noteOfNight" in notes_at(road.destination, "enrollments", ENROLLMENT)
    assert whole(road.destination, "enrollments", ENROLLMENT)["occurredAt"].startswith("2020-02-02")


def test_the_stamps_that_notes_moved_are_no_edit_of_somebody(road: Road) -> None:
    road.loaded("one", AWA)

    road.phase("notes", notes.run, "one")

    there = read_held(road.destination, [AWA], "")
    folder = state_folder(road.workspace("one"))
    known = fold(folder, ("destination_updated_at",), lambda part: pc.is_valid(part["uid"]))
    assert len(there) > 3
    assert {ref: known[ref] for ref in there} == {
        ref: (held.updated_at,) for ref, held in there.items()
    }


def _with_text(package: Staged, note: str, text: str) -> Staged:
    """Let a package have been staged with another text of a note, as no sandbox would hold it."""
    read, folder = open_package(package), Path(package.manifest).parent.with_name("try-2")
    with writing_package(folder) as written:
        for tables in read.row_groups():
            rows = tables["notes"]
            texts = pc.if_else(pc.equal(rows["note"], note), text, rows["value"])
            place = rows.schema.get_field_index("value")
            written.add(
                {**tables, "notes": rows.set_column(place, rows.schema.field(place), texts)}
            )
        written.notes |= read.notes
    return staged(folder)


def _a_case(cases: Road) -> str:
    params: dict[str, Any] = {
        "program": SURVEILLANCE,
        "orgUnit": SENEGAL,
        "fields": "event",
        "pageSize": 1,
    }
    mode = "ouMode" if cases.source.dialect.version == "2.40" else "orgUnitMode"
    page = cases.source.get("/api/tracker/events", {**params, mode: "DESCENDANTS"})
    (row,) = page.get("events") or page["instances"]
    return str(row["event"])
