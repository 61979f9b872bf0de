"""Relationships arrive once, are never taken for gone by silence, and are deleted if allowed."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.importer import import_objects
from dhis2_api.reading import read_relationships
from nightly import Ground, Nights, ground_of, nights, send, with_route
from servers import MATERNAL, OLDEST_AND_NEWEST, VACCINATION
from tracker_sync.mapping.terms import MappingTerms
from tracker_sync.outcome import Outcome
from tracker_sync.runs.plan import read_run_plan, write_run_plan
from tracker_sync.servers import state_folder
from tracker_sync.state.known import open_refusals


MOTHER_CHILD = "KZlsDYjkS59"
MOTHER, CHILD, THEIRS = "g2mJRhGpsZs", "eV8rUSbzeAZ", "SQlNgFD12QU"
OTHER_MOTHER, OTHER_CHILD, ANOTHER = "uP9RdyQ0KtT", "DCXXw4prRoo", "ieFGm6HEbsZ"
EVERYBODY = (MOTHER, CHILD, OTHER_MOTHER, OTHER_CHILD)


@pytest.fixture(scope="module", params=OLDEST_AND_NEWEST)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("ground")
    return ground_of(folder, request.param, programs=(MATERNAL, VACCINATION))


@pytest.fixture
def night(ground: Ground, tmp_path: Path) -> Iterator[Nights]:
    with nights(ground, tmp_path) as made:
        yield made


def end(uid: str, kind: str = "trackedEntity") -> dict[str, Any]:
    return {kind: {kind: uid}}


def relationship(uid: str, start: Any, to: Any, kind: str = MOTHER_CHILD) -> dict[str, Any]:
    return {"relationship": uid, "relationshipType": kind, "from": start, "to": to}


def relate(client: Dhis2Client, uid: str, start: str = MOTHER, to: str = OTHER_CHILD) -> None:
    send(client, {"relationships": [relationship(uid, end(start), end(to))]})


def unrelate(client: Dhis2Client, *uids: str) -> None:
    send(client, {"relationships": [{"relationship": uid} for uid in uids]}, "DELETE")


def held(client: Dhis2Client, *people: str) -> set[str]:
    return {
        row["relationship"]
        for uid in people
        for row in read_relationships(client, "trackedEntity", uid)
    }


def stamps(client: Dhis2Client, people: Collection[str] = EVERYBODY) -> dict[str, str]:
    paths = {uid: f"/api/tracker/trackedEntities/{uid}" for uid in people}
    return {
        uid: client.get(path, {"fields": "updatedAt"})["updatedAt"] for uid, path in paths.items()
    }


def test_relationships_arrive_and_a_second_run_sends_nothing(night: Nights) -> None:
    first = night.relate(night.load("one", EVERYBODY))
    before = stamps(night.destination)
    second = night.relate(night.load("two", EVERYBODY))

    assert first.keys() == second.keys() == {THEIRS, ANOTHER}
    assert {(line.outcome, line.action, line.sent) for line in first.values()} == {
        (Outcome.STORED, "created", True)
    }
    assert {(line.outcome, line.sent) for line in second.values()} == {(Outcome.UNCHANGED, False)}
    assert first[THEIRS].tracked_entity == MOTHER
    assert held(night.destination, *EVERYBODY) == {THEIRS, ANOTHER}
    assert stamps(night.destination) == before
    path = f"/api/tracker/relationships/{THEIRS}"
    fields = {"fields": "relationshipType,from[trackedEntity[trackedEntity]],to[*]"}
    assert night.destination.get(path, fields)["from"] == end(MOTHER)


def test_the_phase_cleared_and_run_again_sends_nothing(night: Nights) -> None:
    after = night.load("one", EVERYBODY)
    night.relate(after)

    again = night.relate(after)

    assert again.keys() == {THEIRS, ANOTHER}
    assert not any(line.sent for line in again.values())


def test_one_that_is_there_already_is_unchanged(night: Nights) -> None:
    after = night.load("one", EVERYBODY)
    send(
        night.destination,
        {"relationships": [relationship(THEIRS, end(MOTHER), end(CHILD))]},
    )

    line = night.relate(after)[THEIRS]

    assert (line.outcome, line.sent, line.destination_uid) == (Outcome.UNCHANGED, True, None)


def test_one_that_is_there_under_another_uid_is_remembered_by_that(night: Nights) -> None:
    after = night.load("one", EVERYBODY)
    relate(night.destination, "madeThere01", MOTHER, CHILD)

    first = night.relate(after)[THEIRS]
    second = night.relate(night.load("two", EVERYBODY))[THEIRS]

    assert (first.outcome, first.destination_uid) == (Outcome.UNCHANGED, "madeThere01")
    assert (second.outcome, second.destination_uid) == (Outcome.UNCHANGED, "madeThere01")
    assert not second.sent
    assert held(night.destination, MOTHER) == {"madeThere01"}


def test_one_whose_end_is_absent_is_refused_and_goes_once_the_end_is_there(night: Nights) -> None:
    first = night.relate(night.load("one", [MOTHER]))[THEIRS]
    second = night.relate(night.load("two", [MOTHER]))[THEIRS]
    open_then = open_refusals(state_folder(night.workspace("two")))
    third = night.relate(night.load("three", [MOTHER, CHILD]))[THEIRS]

    assert (first.outcome, first.code, first.known) == (Outcome.REFUSED, "E4012", False)
    assert (second.outcome, second.code, second.known) == (Outcome.REFUSED, "E4012", True)
    assert not second.sent
    assert [ref.uid for ref in open_then] == [MOTHER]
    assert (third.outcome, third.action) == (Outcome.STORED, "created")
    assert held(night.destination, CHILD) == {THEIRS}
    assert open_refusals(state_folder(night.workspace("three"))) == {}


def test_one_deleted_at_the_source_is_held_until_the_route_sends_deletes(night: Nights) -> None:
    night.relate(night.load("one", EVERYBODY))
    unrelate(night.source, THEIRS)

    waiting = night.relate(night.load("two", EVERYBODY))
    kept = held(night.destination, MOTHER)
    sending = with_route(night, deletes="send")
    gone = sending.relate(sending.load("three", [OTHER_MOTHER]))

    assert (waiting[THEIRS].outcome, waiting[THEIRS].code) == (Outcome.HELD, "SYNC_DELETE_HELD")
    assert kept == {THEIRS}
    assert (gone[THEIRS].outcome, gone[THEIRS].action) == (Outcome.STORED, "deleted")
    assert held(night.destination, *EVERYBODY) == {ANOTHER}
    again = sending.relate(sending.load("four", EVERYBODY))
    assert again.keys() == {ANOTHER}


def test_a_relationship_deleted_goes_at_once_where_deletes_are_sent(night: Nights) -> None:
    sending = with_route(night, deletes="send")
    sending.relate(sending.load("one", EVERYBODY))
    unrelate(night.source, THEIRS)

    after = sending.load("two", EVERYBODY)
    gone, again = sending.relate(after), sending.relate(after)

    assert (gone[THEIRS].outcome, gone[THEIRS].action) == (Outcome.STORED, "deleted")
    assert held(night.destination, *EVERYBODY) == {ANOTHER}
    assert not any(line.sent for line in again.values())


def test_one_deleted_at_both_is_nothing_to_do(night: Nights) -> None:
    night.relate(night.load("one", EVERYBODY))
    unrelate(night.source, THEIRS)
    unrelate(night.destination, THEIRS)

    line = night.relate(night.load("two", EVERYBODY))[THEIRS]

    assert (line.outcome, line.sent, line.content_hash) == (Outcome.UNCHANGED, False, None)
    assert night.relate(night.load("three", EVERYBODY)).keys() == {ANOTHER}


def test_one_that_is_neither_alive_nor_deleted_at_the_source_is_never_deleted(
    night: Nights,
) -> None:
    sending = with_route(night, deletes="send")
    sending.relate(sending.load("one", EVERYBODY))
    purge(night, THEIRS)

    line = sending.relate(sending.load("two", EVERYBODY))[THEIRS]

    assert (line.outcome, line.code) == (Outcome.HELD, "SYNC_RELATIONSHIP_GONE")
    assert held(night.destination, MOTHER) == {THEIRS}


def test_one_made_anew_between_the_same_two_is_not_deleted_with_the_old_one(
    night: Nights,
) -> None:
    sending = with_route(night, deletes="send")
    sending.relate(sending.load("one", EVERYBODY))
    unrelate(night.source, THEIRS)
    relate(night.source, "madeAnew001", MOTHER, CHILD)

    lines = sending.relate(sending.load("two", EVERYBODY))

    assert (lines["madeAnew001"].outcome, lines["madeAnew001"].destination_uid) == (
        Outcome.UNCHANGED,
        THEIRS,
    )
    assert lines[THEIRS].outcome is Outcome.UNCHANGED
    assert held(night.destination, MOTHER) == {THEIRS}


def test_one_deleted_at_the_destination_is_refused_because_its_uid_is_used_up(
    night: Nights,
) -> None:
    night.relate(night.load("one", EVERYBODY))
    unrelate(night.destination, THEIRS)

    second = night.relate(night.load("two", EVERYBODY))[THEIRS]
    third = night.relate(night.load("three", EVERYBODY))[THEIRS]

    assert (second.outcome, second.code, second.known) == (Outcome.REFUSED, "E4017", False)
    assert (third.outcome, third.code, third.known) == (Outcome.REFUSED, "E4017", True)
    assert not third.sent


def test_a_replay_sends_what_a_run_leaves_alone_and_says_that_it_is_known(night: Nights) -> None:
    night.destination.request("DELETE", f"/api/relationshipTypes/{MOTHER_CHILD}")

    first = night.relate(night.load("one", EVERYBODY))[THEIRS]
    second = night.relate(night.load("two", EVERYBODY))[THEIRS]
    third = night.load("three", EVERYBODY)
    path = third.workspace.plan
    write_run_plan(path, replace(read_run_plan(path), again=True))
    again = night.relate(third)[THEIRS]

    assert {line.outcome for line in (first, second, again)} == {Outcome.REFUSED}
    assert (first.sent, second.sent, again.sent) == (True, False, True)
    assert first.code == second.code == again.code == "E4006"
    assert (second.known, again.known) == (True, True)


def test_an_old_run_cleared_puts_nothing_back_that_a_newer_one_deleted(night: Nights) -> None:
    sending = with_route(night, deletes="send")
    old = sending.load("one", EVERYBODY)
    sending.relate(old)
    unrelate(night.source, THEIRS)
    sending.relate(sending.load("two", EVERYBODY))

    lines = sending.relate(old)

    assert lines[THEIRS].outcome is Outcome.SUPERSEDED
    assert held(night.destination, *EVERYBODY) == {ANOTHER}


def test_an_answer_that_is_lost_makes_no_second_relationship(
    night: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = night.load("one", EVERYBODY)
    lost = Lost(night.destination)
    with monkeypatch.context() as faulty:
        faulty.setattr("tracker_sync.sending.posting.import_objects", lost)
        lines = night.relate(after)

    assert lost.times == 2
    assert {line.action for line in lines.values()} == {"created"}
    assert held(night.destination, *EVERYBODY) == {THEIRS, ANOTHER}


def test_a_phase_that_died_leaves_what_it_did_remembered(
    night: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = night.load("one", EVERYBODY)
    monkeypatch.setattr("tracker_sync.steps.relationships.AT_ONCE", 1)
    with monkeypatch.context() as dying:
        dying.setattr("tracker_sync.sending.posting.import_objects", OnlyOnce())
        with pytest.raises(KeyboardInterrupt):
            night.relate(after)
    assert not after.workspace.ledger("relationships").exists()
    (done,) = held(night.destination, *EVERYBODY)

    lines = night.relate(after)

    assert {uid for uid, line in lines.items() if line.sent} == {THEIRS, ANOTHER} - {done}
    assert held(night.destination, *EVERYBODY) == {THEIRS, ANOTHER}


def test_our_own_writes_are_not_taken_for_somebodys_edit_of_the_ends(night: Nights) -> None:
    night.relate(night.load("one", EVERYBODY))

    last = {
        line["uid"]: line["destination_updated_at"]
        for line in sorted(night.state(), key=lambda line: line["at"])
        if line["kind"] == "TRACKED_ENTITY"
    }

    assert last.keys() == set(EVERYBODY)
    now = {uid: datetime.fromisoformat(text) for uid, text in stamps(night.destination).items()}
    assert last == now


def test_an_edit_of_an_end_before_us_stays_known_as_one(night: Nights) -> None:
    after = night.load("one", EVERYBODY)
    person = read_person(night.destination, MOTHER)
    send(night.destination, {"trackedEntities": [person]})

    night.relate(after)

    last = [line for line in night.state() if line["uid"] == MOTHER][-1]
    assert last["destination_updated_at"] < datetime.fromisoformat(
        stamps(night.destination, [MOTHER])[MOTHER]
    )
    assert len([line for line in night.state() if line["uid"] == MOTHER]) == 1


def test_a_dry_run_sends_nothing(night: Nights) -> None:
    after = night.load("one", EVERYBODY)
    dry = replace(after, destination=replace(after.destination, dry_run=True))

    lines = night.relate(dry)

    assert lines.keys() == {THEIRS, ANOTHER}
    assert {(line.code, line.action, line.sent) for line in lines.values()} == {
        ("SYNC_DRY_RUN", "created", False)
    }
    assert held(night.destination, *EVERYBODY) == set()


def test_a_dry_run_finds_what_is_there_and_misses_an_end_as_a_run_does(night: Nights) -> None:
    after = night.load("one", EVERYBODY)
    relate(night.destination, "madeThere01", MOTHER, CHILD)
    send(night.destination, {"trackedEntities": [{"trackedEntity": OTHER_CHILD}]}, "DELETE")
    dry = replace(after, destination=replace(after.destination, dry_run=True))

    lines = night.relate(dry)

    there, without_end = lines[THEIRS], lines[ANOTHER]
    assert (there.outcome, there.destination_uid) == (Outcome.UNCHANGED, "madeThere01")
    assert (without_end.outcome, without_end.code) == (Outcome.REFUSED, "E4012")


def test_a_type_that_the_mapping_drops_is_held_and_arrives_once_it_has_a_target(
    night: Nights,
) -> None:
    dropping = with_route(night, mapping=MappingTerms(relationship_types={MOTHER_CHILD: "drop"}))

    first = dropping.relate(dropping.load("one", EVERYBODY))
    between = held(night.destination, *EVERYBODY)
    second = night.relate(night.load("two", EVERYBODY))

    assert first.keys() == {THEIRS, ANOTHER}
    assert {(line.outcome, line.code) for line in first.values()} == {
        (Outcome.HELD, "SYNC_DROPPED")
    }
    assert between == set()
    assert {line.action for line in second.values()} == {"created"}


@pytest.fixture
def few_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker_sync.relationships.gone.MOST_LOOKED_FOR", 1)
    monkeypatch.setattr("tracker_sync.deletions.policy.FEWEST", 1)


@pytest.mark.usefixtures("few_are_looked_for")
def test_more_that_are_gone_at_once_than_a_run_may_delete_wait_until_a_person_allows_them(
    night: Nights, caplog: pytest.LogCaptureFixture
) -> None:
    sending = with_route(night, deletes="send")
    sending.relate(sending.load("one", EVERYBODY))
    unrelate(night.source, THEIRS, ANOTHER)

    lines = sending.relate(sending.load("two", EVERYBODY))
    there = held(night.destination, *EVERYBODY)
    allowed = sending.relate(replace(sending.load("three", [MOTHER]), deletes_at_most=2))

    assert {line.outcome for line in lines.values()} == {Outcome.HELD}
    assert {line.code for line in lines.values()} == {"SYNC_DELETE_ABOVE_CAP"}
    assert there == lines.keys() == {THEIRS, ANOTHER}
    assert "`deletes_at_most` = 2" in caplog.text
    assert {line.action for line in allowed.values()} == {"deleted"}
    assert held(night.destination, *EVERYBODY) == set()


@pytest.mark.usefixtures("few_are_looked_for")
def test_many_that_are_gone_at_once_are_held_by_a_route_that_holds_and_go_when_it_sends(
    night: Nights,
) -> None:
    night.relate(night.load("one", EVERYBODY))
    unrelate(night.source, THEIRS, ANOTHER)

    lines = night.relate(night.load("two", EVERYBODY))
    there = held(night.destination, *EVERYBODY)
    sending = with_route(night, deletes="send")
    sent = sending.relate(replace(sending.load("three", [MOTHER]), deletes_at_most=2))

    assert {(line.outcome, line.code) for line in lines.values()} == {
        (Outcome.HELD, "SYNC_DELETE_HELD")
    }
    assert there == sent.keys() == {THEIRS, ANOTHER}
    assert {line.action for line in sent.values()} == {"deleted"}


def read_person(client: Dhis2Client, uid: str) -> dict[str, Any]:
    fields = {"fields": "trackedEntity,trackedEntityType,orgUnit,attributes[attribute,value]"}
    return dict(client.get(f"/api/tracker/trackedEntities/{uid}", fields))


def purge(night: Nights, uid: str) -> None:
    """Remove every trace of a relationship from the source, as an administrator's purge does."""
    with closing(sqlite3.connect(night.folder.parent / "from", timeout=60)) as file, file:
        assert file.execute("DELETE FROM relationship WHERE uid = ?", (uid,)).rowcount == 1


class Lost:
    """Does the first import, and loses its answer."""

    def __init__(self, client: Dhis2Client) -> None:
        self.client, self.times = client, 0

    def __call__(self, *args: Any, **more: Any) -> Any:
        self.times += 1
        report = import_objects(*args, **more)
        if self.times == 1:
            raise TransientError("the answer was lost")
        return report


class OnlyOnce:
    """Does the first import, and dies at the second."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, *args: Any, **more: Any) -> Any:
        self.times += 1
        if self.times > 1:
            raise KeyboardInterrupt
        return import_objects(*args, **more)
