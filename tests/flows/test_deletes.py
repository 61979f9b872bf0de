"""What is deleted at the source is held; let go, it goes, children first, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.errors import TransientError
from flows.expected import assert_equal, began_with
from flows.people import (
    AWA,
    BINTA,
    COUMBA,
    MBOUR,
    PODOR,
    RUFISQUE,
    case,
    contact,
    enrollment,
    enrollment_of,
    event_of,
    person,
    vaccination,
    visit,
)
from flows.world import Server, World
from servers import SENEGAL, VACCINATION
from tracker_sync.deletions.waiting import copied_below
from tracker_sync.servers import state_folder
from tracker_sync.steps import deletes


Json = dict[str, Any]

HELD, ABOVE_CAP = "SYNC_DELETE_HELD", "SYNC_DELETE_ABOVE_CAP"
MORE_BELOW, ALIVE_AGAIN = "SYNC_DELETE_MORE_BELOW", "SYNC_DELETE_ALIVE_AGAIN"


def two_visits(uid: str = AWA, place: str = RUFISQUE) -> Json:
    """Return a person with two visits."""
    visits = [visit(uid, place), visit(uid, place, 2)]
    return person(uid, place, enrollments=[enrollment(uid, place, events=visits)])


def test_a_deleted_person_is_held_until_the_route_sends_deletes(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    everything = world.destination.holds()
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

    held, quiet = world.run(), world.run()

    assert held.problems == ()
    assert held.refused == dict.fromkeys(all_of(AWA), ("held", HELD))
    assert (held.totals["held"], held.sent, quiet.totals["held"]) == (4, 0, 0)
    assert world.destination.holds() == everything

    sent = world.run(deletes="send")

    assert sent.problems == ()
    assert (sent.totals["deleted"], sent.totals["held"], sent.sent) == (4, 0, 4)
    assert not {key for key in world.destination.holds() if AWA in key}
    assert_equal(world)


def all_of(uid: str) -> set[str]:
    return {uid, enrollment_of(uid), event_of(uid), event_of(uid, 2)}


def test_a_deleted_event_and_a_deleted_enrollment_go_and_their_people_stay(world: World) -> None:
    began_with(world, two_visits(), two_visits(BINTA, MBOUR))
    world.source.remove(events=[{"event": event_of(AWA)}])
    world.source.remove(enrollments=[{"enrollment": enrollment_of(BINTA)}])

    run = world.run(deletes="send")

    assert run.problems == ()
    assert run.totals["deleted"] == 4
    there = world.destination.holds()
    assert {("entity", AWA), ("enrollment", enrollment_of(AWA)), ("entity", BINTA)} <= there.keys()
    assert ("event", event_of(AWA)) not in there
    assert_equal(world)


def test_a_deleted_case_goes_though_it_is_nobodys(world: World) -> None:
    began_with(world, person())
    world.source.remove(events=[{"event": case()["event"]}])

    held = world.run()
    sent = world.run(deletes="send")

    assert held.refused == {case()["event"]: ("held", HELD)}
    assert sent.totals["deleted"] == 1
    assert_equal(world)


def test_children_go_before_what_they_belong_to_each_kind_in_requests_of_its_own(
    world: World,
) -> None:
    began_with(world, two_visits())
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    fault: Json = {"method": "POST", "path": "importStrategy=DELETE", "after": 1, "times": 99}
    world.destination.faults.order("reset", **fault)

    with pytest.raises(TransientError):
        world.run(deletes="send")

    kinds = {key[0] for key in world.destination.holds() if key[1] in all_of(AWA)}
    assert {"entity", "enrollment"} <= kinds
    assert "event" not in kinds


def test_what_was_deleted_by_hand_at_the_destination_is_no_work(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    world.run()
    world.destination.remove(trackedEntities=[{"trackedEntity": AWA}])

    run = world.run(deletes="send")

    assert run.problems == ()
    assert (run.totals["unchanged"], run.sent) == (4, 0)
    assert_equal(world)


def test_what_the_source_has_purged_since_goes_too_because_it_was_seen_deleted(
    world: World,
) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    world.run()
    purge(world.source)

    run = world.run(deletes="send")

    assert run.totals["deleted"] == 4
    assert_equal(world)


def purge(server: Server) -> None:
    """Do what an administrator does in the maintenance app."""
    with server.sandbox.database.writing() as connection:
        for kind in ("event", "enrollment", "entity"):
            done = connection.execute(f"DELETE FROM {kind} WHERE deleted = 1")  # noqa: S608
            assert done.rowcount > 0


def test_what_was_purged_and_never_seen_deleted_stays(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    before = world.destination.holds()
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    purge(world.source)

    run = world.run(deletes="send")

    assert run.totals["deleted"] == run.sent == 0
    assert world.destination.holds() == before


def test_who_was_restored_at_the_source_stays_and_is_read_by_the_next_run(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.source.remove(events=[{"event": event_of(AWA)}])
    world.run()
    with world.source.sandbox.database.writing() as connection:  # as administrators do; no API can
        connection.execute("UPDATE event SET deleted = 0 WHERE uid = ?", (event_of(AWA),))

    restored = world.run(deletes="send")
    read = world.run()

    assert restored.refused == {event_of(AWA): ("refused", ALIVE_AGAIN)}
    assert restored.sent == 0
    assert read.refused == {}
    assert_equal(world)


class TestMoreThanARunMayDelete:
    @pytest.fixture(autouse=True)
    def _three(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tracker_sync.deletions.policy.FEWEST", 3)

    def test_is_red_and_nothing_is_deleted_until_a_person_says_so(self, world: World) -> None:
        began_with(world, two_visits(), person(BINTA))
        before = world.destination.holds()
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

        stopped, again = world.run(deletes="send"), world.run()

        for run in (stopped, again):
            assert run.refused == dict.fromkeys(all_of(AWA), ("held", ABOVE_CAP))
            (problem,) = run.problems
            assert problem.startswith(f"4 held, {ABOVE_CAP}: ")
            assert "`deletes_at_most`" in problem
            assert run.sent == 0
        assert world.destination.holds() == before
        assert world.watermarks

        world.deletes_at_most = 4
        allowed = world.run()

        assert allowed.problems == ()
        assert allowed.totals["deleted"] == 4
        assert_equal(world)

    def test_keeps_relationships_too_though_they_alone_would_be_few(self, world: World) -> None:
        began_with(world, two_visits(), person(BINTA), person(COUMBA))
        world.source.write(relationships=[contact("ContactCB01", COUMBA, BINTA)])
        world.run()
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
        world.source.remove(relationships=[{"relationship": "ContactCB01"}])

        run = world.run(deletes="send")

        assert run.refused == dict.fromkeys(all_of(AWA) | {"ContactCB01"}, ("held", ABOVE_CAP))
        assert run.sent == 0
        world.deletes_at_most = 5
        assert world.run().totals["deleted"] == 5
        assert_equal(world)

    def test_stops_no_other_change(self, world: World) -> None:
        began_with(world, two_visits(), person(BINTA))
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
        world.source.write(trackedEntities=[person(COUMBA)])

        run = world.run(deletes="send")

        assert (run.totals["created"], run.totals["held"]) == (3, 4)

    def test_is_counted_over_all_tries_of_the_run(self, world: World) -> None:
        began_with(world, two_visits(), person(BINTA))
        world.source.remove(events=[{"event": event_of(AWA)}, {"event": event_of(AWA, 2)}])
        first = world.run(deletes="send")
        world.source.remove(trackedEntities=[{"trackedEntity": BINTA}])
        world.terms["deletes"] = "hold"
        world.run()
        world.terms["deletes"] = "send"

        deletes.run(world.after(first))

        assert ("entity", BINTA) in world.destination.holds()
        lines = world.phase(first, "deletes")
        assert {line["uid"] for line in lines if line["action"] == "deleted"} == {
            event_of(AWA),
            event_of(AWA, 2),
        }
        assert {line["code"] for line in lines if line["action"] is None} == {ABOVE_CAP}


def test_what_was_entered_at_the_destination_holds_all_above_it(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.destination.write(events=[visit(number=3)])
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

    held = world.run(deletes="send")

    there = world.destination.holds()
    assert held.refused == dict.fromkeys((AWA, enrollment_of(AWA)), ("held", MORE_BELOW))
    assert held.totals["deleted"] == 2
    assert {("entity", AWA), ("event", event_of(AWA, 3))} <= there.keys()

    world.destination.remove(events=[{"event": event_of(AWA, 3)}])
    world.run()

    assert_equal(world)


def test_who_was_enrolled_at_the_destination_in_another_program_stays(world: World) -> None:
    world.terms["programs"] = tuple(set(world.route().programs) - {VACCINATION})
    began_with(world, two_visits(), person(BINTA))
    world.destination.write(enrollments=[vaccination()])
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

    run = world.run(deletes="send")

    there = world.destination.holds()
    assert run.refused == {AWA: ("held", MORE_BELOW)}
    assert {("entity", AWA), ("enrollment", enrollment_of(AWA, "V"))} <= there.keys()
    assert ("enrollment", enrollment_of(AWA)) not in there


def test_relationships_go_before_their_people_and_are_told_of(world: World) -> None:
    began_with(world, two_visits(), person(BINTA), person(COUMBA))
    told = [contact("ContactAB01", AWA, BINTA), contact("ContactCA01", COUMBA, AWA)]
    world.source.write(relationships=told)
    world.run()
    assert len([key for key in world.destination.holds() if key[0] == "relationship"]) == 2
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

    run = world.run(deletes="send")

    lines = {line["uid"]: line["action"] for line in world.phase(run, "deletes")}
    links = {"ContactAB01", "ContactCA01"}
    assert lines == dict.fromkeys(all_of(AWA) | links, "deleted")
    assert run.problems == ()
    assert (run.totals["deleted"], run.totals["held"]) == (6, 0)
    assert_equal(world)


def test_who_was_joined_at_the_destination_stays(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.destination.write(relationships=[contact("ContactAB01", AWA, BINTA)])
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

    run = world.run(deletes="send")

    assert run.refused[AWA] == ("held", MORE_BELOW)
    there = world.destination.holds()
    assert ("entity", AWA) in there
    assert len([key for key in there if key[0] == "relationship"]) == 1


def test_a_person_registered_anew_with_the_same_national_id_arrives(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    again = person(COUMBA)
    again["enrollments"][0]["attributes"] = person()["enrollments"][0]["attributes"]
    world.source.write(trackedEntities=[again])

    world.run(deletes="send")
    world.run()

    assert_equal(world)


def test_a_uid_used_up_at_the_destination_is_refused_until_it_is_purged_there(
    world: World,
) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.destination.remove(trackedEntities=[{"trackedEntity": AWA}])
    world.source.write(events=[visit(status="COMPLETED")])

    burned = world.run()

    assert burned.refused[AWA] == ("refused", "E1114")
    (said,) = [item for item in burned.report["refusals"] if item["uid"] == AWA]
    assert "purge" in said["do"]
    purge(world.destination)
    world.run()
    assert_equal(world)


def test_a_refused_deletion_is_named_is_known_and_goes_once_it_may(world: World) -> None:
    here = [visit(), visit(place=PODOR, number=2)]
    began_with(world, person(enrollments=[enrollment(events=here)]), person(BINTA))
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    superuser = world.destination
    world.destination = replace(superuser, client=writer(world, RUFISQUE))

    first, second = world.run(deletes="send"), world.run()

    assert (
        first.refused
        == second.refused
        == {
            event_of(AWA, 2): ("refused", "E1000"),
            enrollment_of(AWA): ("refused", "E1103"),
            AWA: ("refused", "E1100"),
        }
    )
    assert (first.totals["deleted"], second.totals["deleted"]) == (1, 0)
    assert {item["known"] for item in first.report["refusals"]} == {False}
    assert {item["known"] for item in second.report["refusals"]} == {True}

    world.destination = superuser
    world.run()

    assert_equal(world)


def writer(world: World, capture: str) -> Dhis2Client:
    """Make an account that reads everywhere, writes in one org unit, and has no authorities."""
    user: Json = {"id": "UserWriter1", "username": "writer", "password": "Account-1234!"}
    user |= {"firstName": "W", "surname": "W", "userRoles": [{"id": "RoleWriter1"}]}
    user |= {
        "organisationUnits": [{"id": capture}],
        "teiSearchOrganisationUnits": [{"id": SENEGAL}],
    }
    role = {"id": "RoleWriter1", "name": "W", "code": "W", "authorities": []}
    client = world.destination.client
    client.post("/api/metadata", {"userRoles": [role], "users": [user]})
    return Dhis2Client(client.url, Credentials("writer", "Account-1234!"), name="writer")


class TestAnAnswerThatIsLost:
    """The destination deleted, or did not, and nobody knows."""

    @pytest.mark.parametrize("done", [False, True])
    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_is_found_out_and_nothing_is_told_twice(
        self,
        world: World,
        after: int,
        done: bool,  # noqa: FBT001 - a parameter of the test
    ) -> None:
        began_with(world, two_visits(), person(BINTA))
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
        fault: Json = {"method": "POST", "path": "importStrategy=DELETE", "times": 1}
        world.destination.faults.order("reset", done=done, after=after, **fault)

        run = world.run(deletes="send")

        assert [rule["met"] for rule in world.destination.faults.told()] == [1]
        assert run.problems == ()
        assert run.totals["deleted"] == 4
        assert_equal(world)


def test_a_request_refused_as_a_whole_is_halved_and_the_rest_goes(world: World) -> None:
    began_with(world, two_visits(), two_visits(BINTA, MBOUR))
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}, {"trackedEntity": BINTA}])
    fault: Json = {"method": "POST", "path": "importStrategy=DELETE", "times": 1, "status": 500}
    world.destination.faults.order("status", **fault)

    run = world.run(deletes="send")

    assert run.problems == ()
    assert run.totals["deleted"] == 8
    assert_equal(world)


def test_a_phase_that_is_cleared_tells_again_what_it_did_and_sends_nothing(world: World) -> None:
    began_with(world, two_visits(), two_visits(BINTA, MBOUR))
    world.source.remove(trackedEntities=[{"trackedEntity": AWA}])
    world.run()
    world.source.remove(events=[{"event": event_of(BINTA)}])
    run = world.run(deletes="send")
    first, stamps = world.phase(run, "deletes"), world.destination.stamps()

    deletes.run(world.after(run))

    assert len(first) == 5
    assert told(world.phase(run, "deletes")) == told(first)
    assert world.destination.stamps() == stamps


def told(lines: list[Json]) -> list[tuple[str, ...]]:
    return sorted((line["uid"], line["outcome"], line["action"], line["sent"]) for line in lines)


def test_what_a_deletion_stamps_is_no_edit_at_the_destination(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.source.remove(events=[{"event": event_of(AWA)}])
    world.run(deletes="send")

    copied = copied_below(state_folder(world.runs[-1].workspace), [AWA], [])

    there = world.destination.stamps()
    alive = {AWA, enrollment_of(AWA), event_of(AWA, 2)}
    assert {ref.uid for ref in copied} >= alive
    for ref, one in copied.items():
        if ref.uid in alive:
            stamp = one.destination_updated_at
            assert stamp
            assert stamp.isoformat(timespec="milliseconds") == there[ref.uid]


def test_an_old_package_that_is_cleared_deletes_nobody_who_lives(world: World) -> None:
    began_with(world, two_visits(), person(BINTA))
    world.source.remove(events=[{"event": event_of(AWA)}])
    old = world.run()
    with world.source.sandbox.database.writing() as connection:
        connection.execute("UPDATE event SET deleted = 0 WHERE uid = ?", (event_of(AWA),))
    world.source.write(events=[visit(status="COMPLETED")])
    world.run(deletes="send")
    before = world.destination.holds()
    assert ("event", event_of(AWA)) in before

    deletes.run(world.after(old))

    assert world.destination.holds() == before


class TestWhatWasEditedAtTheDestination:
    @pytest.fixture(autouse=True)
    def _kept(self, world: World) -> None:
        world.terms["destination_edits"] = "keep"

    def test_is_held_with_all_above_it_where_the_route_keeps_edits(self, world: World) -> None:
        began_with(world, two_visits(), two_visits(BINTA))
        world.destination.write(events=[visit(status="COMPLETED")])
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}, {"trackedEntity": BINTA}])

        run = world.run(deletes="send")

        assert run.refused[event_of(AWA)] == ("held", "SYNC_DELETE_EDITED")
        assert {outcome for outcome, _ in run.refused.values()} == {"held"}
        assert (run.totals["held"], run.totals["deleted"]) == (3, 5)
        assert ("entity", AWA) in world.destination.holds()
        assert ("entity", BINTA) not in world.destination.holds()

    def test_is_refused_where_the_route_reports_edits(self, world: World) -> None:
        began_with(world, two_visits(), person(BINTA))
        world.destination.write(events=[visit(status="COMPLETED")])
        world.source.remove(events=[{"event": event_of(AWA)}])
        report = {"destination_edits": "report", "refused": "fail"}

        red, green = world.run(deletes="send", **report), world.run()

        for run in (red, green):
            assert run.refused == {event_of(AWA): ("refused", "SYNC_DELETE_EDITED")}
        assert len(red.problems) == 1
        assert green.problems == ()

        world.run(destination_edits="overwrite")
        assert_equal(world)

    def test_is_not_what_stays_though_we_deleted_what_was_below(self, world: World) -> None:
        began_with(world, two_visits(), person(BINTA))
        world.destination.write(relationships=[contact("ContactBA01", BINTA, AWA)])
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

        nights = [world.run(deletes="send") for _ in range(3)]
        world.destination.remove(relationships=[{"relationship": "ContactBA01"}])
        last = world.run(destination_edits="overwrite")

        assert nights[0].totals["deleted"] == 3
        assert [night.refused for night in nights] == [{AWA: ("held", MORE_BELOW)}] * 3
        assert last.totals["deleted"] == 1
        assert_equal(world)

    def test_is_not_what_our_own_deletions_stamped(self, world: World) -> None:
        began_with(world, two_visits(), person(BINTA))
        world.source.remove(events=[{"event": event_of(AWA)}])
        world.run(deletes="send")
        world.source.remove(events=[{"event": event_of(AWA, 2)}])
        world.run()
        world.source.remove(trackedEntities=[{"trackedEntity": AWA}])

        run = world.run()

        assert run.totals["deleted"] == 2
        assert_equal(world)
