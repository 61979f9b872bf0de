"""The whole client against servers that answer by themselves: every version played, and a live one.

A live server is one named by DHIS2_LIVE_URL, DHIS2_LIVE_USER and DHIS2_LIVE_PASSWORD
(`make live`); what the tests create there they remove.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from client.world import World, new_uid
from dhis2_api.data_store import create_value, delete_value, read_value, replace_value
from dhis2_api.errors import Dhis2Error
from dhis2_api.export import Listing
from dhis2_api.fields import UID_KEYS, Listed
from dhis2_api.files import File, read_event_file, upload_file
from dhis2_api.importer import ImportOptions, Ref, delete_objects, import_objects
from dhis2_api.jobs import JobPatience
from dhis2_api.legacy import read_legacy_list
from dhis2_api.ownership import read_owner, transfer_owner
from dhis2_api.reading import read_by_uid, read_list, read_relationships
from dhis2_api.selection import Selection
from dhis2_api.system import read_server
from listed import list_changes
from tracker_sync.reading.listing import Source
from tracker_sync.reading.people import read_people


KINDS: tuple[Listed, ...] = ("trackedEntities", "enrollments", "events")


def everything(world: World, kind: Listed = "trackedEntities", **terms: Any) -> Listing:
    given = {"org_units": world.org_units, "updated_after": None, "page_size": 4}
    return Listing(**({"kind": kind, "program": world.program} | given | terms))


def listed(world: World, listing: Listing) -> list[str]:
    rows = read_list(world.client, listing, world.zone)
    return [row[UID_KEYS[listing.kind]] for row in rows]


def uids(lists: dict[str, list[dict[str, Any]]], kind: Listed) -> set[str]:
    return {item[UID_KEYS[kind]] for item in lists[kind]}


def test_what_is_stored_is_listed_page_by_page_and_read_by_uid(world: World) -> None:
    lists = world.enrolled(11)
    unknown = new_uid()

    report = world.send(**lists)

    assert report.refused == {}
    assert len(report.stored) == 33
    for kind in KINDS:
        wanted = uids(lists, kind)
        assert wanted <= set(listed(world, everything(world, kind)))
        found = read_by_uid(
            world.client, kind, [*wanted, unknown], UID_KEYS[kind],
            program="" if kind == "trackedEntities" else world.program,
        )  # fmt: skip
        assert {row[UID_KEYS[kind]] for row in found} == wanted


def test_a_delta_holds_what_changed_and_nothing_older(world: World) -> None:
    before = world.enrolled(3)
    world.send(**before)
    since = read_server(world.client).now
    after = world.enrolled(2)

    world.send(**after)

    for kind in KINDS:
        found = set(listed(world, everything(world, kind, updated_after=since)))
        assert uids(after, kind) <= found
        assert not uids(before, kind) & found
    tomorrow = since + timedelta(days=1)
    assert listed(world, everything(world, updated_after=tomorrow)) == []


def test_a_selection_is_what_it_says(world: World) -> None:
    plain = world.enrolled(2)
    completed = world.enrolled(2, status="COMPLETED", followUp=True)
    world.send(**plain)
    world.send(**completed)

    done = Selection(enrollment_status="COMPLETED")
    for kind in KINDS[:2]:
        found = set(listed(world, everything(world, kind, selection=done)))
        assert uids(completed, kind) <= found
        assert not uids(plain, kind) & found
    flagged = set(listed(world, everything(world, selection=Selection(follow_up=True))))
    assert uids(completed, "trackedEntities") <= flagged
    assert not uids(plain, "trackedEntities") & flagged


def test_events_are_selected_by_status_and_days(world: World) -> None:
    lists = world.enrolled(2)
    late = world.event(lists["enrollments"][0], occurredAt="2026-03-01", status="COMPLETED")
    march = (date(2026, 3, 1), date(2026, 3, 31))
    chosen = Selection(program_stage=world.stage, event_status="COMPLETED", occurred=march)

    world.send(**lists)
    world.send(events=[late])

    assert listed(world, everything(world, "events", selection=chosen)) == [late["event"]]
    people = listed(world, everything(world, selection=chosen))
    assert people == [lists["trackedEntities"][0]["trackedEntity"]]


def test_a_run_lists_and_reads_the_same_people_however_often_they_enrolled(world: World) -> None:
    lists = world.enrolled(4, status="COMPLETED")
    again = [dict(item, enrollment=new_uid()) for item in lists["enrollments"] for _ in range(4)]
    asked = [*sorted(uids(lists, "trackedEntities")), new_uid()]
    assert world.send(**lists).refused == world.send(enrollments=again).refused == {}

    source = Source(world.client, world.client.dialect, world.zone)
    table = list_changes(source, [everything(world, kind, page_size=3) for kind in KINDS]).rows
    (people,) = read_people(world.client, asked, at_once=300)

    assert uids(lists, "trackedEntities") <= set(table["tracked_entity"].to_pylist())
    assert people.absent == {asked[-1]}
    rows = people.rows.to_pylist()
    assert [len(row["enrollments"]) for row in rows] == [5] * 4
    assert sum(len(each["events"]) for row in rows for each in row["enrollments"]) == 4


def test_people_without_enrollment_are_listed_by_type(world: World) -> None:
    lists = world.enrolled(2)
    world.send(trackedEntities=lists["trackedEntities"])

    by_type = everything(world, program="", tracked_entity_type=world.person)

    assert uids(lists, "trackedEntities") <= set(listed(world, by_type))
    assert not uids(lists, "trackedEntities") & set(listed(world, everything(world)))


def test_a_refused_object_never_blocks_its_neighbours(world: World) -> None:
    lists = world.enrolled(2)
    lists["events"][0]["programStage"] = new_uid()

    report = world.send(**lists)

    assert list(report.refused) == [Ref("EVENT", lists["events"][0]["event"])]
    assert len(report.stored) == 5
    assert lists["events"][1]["event"] in listed(world, everything(world, "events"))


def test_a_dry_run_writes_nothing(world: World) -> None:
    lists = world.enrolled(1)

    report = import_objects(world.client, lists, ImportOptions(validate_only=True))

    assert report.refused == {}
    assert not uids(lists, "trackedEntities") & set(listed(world, everything(world)))


def test_a_job_ends_in_the_same_report(world: World) -> None:
    lists = world.enrolled(2)
    world.send(**lists)

    report = import_objects(world.client, lists, ImportOptions(job=JobPatience(first=0.05)))

    assert {ref.uid for ref in report.stored} == set().union(*(uids(lists, k) for k in KINDS))


def test_the_deleted_are_listed_as_deleted_and_deleting_again_is_fine(world: World) -> None:
    lists = world.enrolled(2)
    world.send(**lists)
    gone = Ref("EVENT", str(lists["events"][0]["event"]))
    person = Ref("TRACKED_ENTITY", str(lists["trackedEntities"][1]["trackedEntity"]))

    first, second = (delete_objects(world.client, [gone, person]) for _ in range(2))

    assert first.stored == second.stored == {gone, person}
    events = read_list(world.client, everything(world, "events"), world.zone)
    assert [row["deleted"] for row in events if row["event"] == gone.uid] == [True]
    found = read_by_uid(world.client, "trackedEntities", [person.uid], "trackedEntity,deleted")
    assert [row["deleted"] for row in found] == [True]


def test_relationships_are_read_of_one_end_and_a_repeated_one_is_remarked(world: World) -> None:
    lists = world.enrolled(2)
    world.send(**lists)
    one, other = (str(person["trackedEntity"]) for person in lists["trackedEntities"])
    known = {
        "relationship": new_uid(),
        "relationshipType": world.relationship,
        "from": {"trackedEntity": {"trackedEntity": one}},
        "to": {"trackedEntity": {"trackedEntity": other}},
    }

    first, second = world.send(relationships=[known]), world.send(relationships=[known])

    assert first.stored == {Ref("RELATIONSHIP", str(known["relationship"]))}
    assert [*second.warnings.values()] == [("E4015",)]
    (row,) = read_relationships(world.client, "trackedEntity", one)
    assert (row["relationship"], row["to"]) == (known["relationship"], known["to"])


def test_a_note_sent_again_is_remarked(world: World) -> None:
    lists = world.enrolled(1)
    lists["events"][0]["notes"] = [{"note": new_uid(), "value": "vue à domicile"}]

    first, second = world.send(**lists), world.send(**lists)

    assert first.warnings == {}
    assert [*second.warnings.values()] == [("E1119",)]
    assert second.refused == {}


def test_an_owner_is_transferred_once(world: World) -> None:
    lists = world.enrolled(1)
    world.send(**lists)
    person = lists["trackedEntities"][0]["trackedEntity"]
    there = world.org_units[1]

    moved = [transfer_owner(world.client, person, world.program, there) for _ in range(2)]

    assert moved == [True, False]
    assert read_owner(world.client, person, world.program) == there
    with pytest.raises(Dhis2Error):
        transfer_owner(world.client, person, world.program, new_uid())
    assert read_owner(world.client, person, world.program) == there


def test_a_key_is_created_once_and_removed(world: World) -> None:
    space, key = f"client-test-{new_uid()}", "lease"
    world.undo.callback(delete_value, world.client, space, key)

    created = [create_value(world.client, space, key, {"owner": i}) for i in range(2)]

    assert created == [True, False]
    assert read_value(world.client, space, key) == {"owner": 0}
    replace_value(world.client, space, key, {"owner": 2})
    assert read_value(world.client, space, key) == {"owner": 2}
    assert [delete_value(world.client, space, key) for _ in range(2)] == [True, False]
    assert read_value(world.client, space, key) is None


def test_a_file_comes_back_as_it_went(world: World) -> None:
    lists = world.enrolled(1)
    file = File(new_uid(), "report.pdf", "application/pdf", b"%PDF-1.4\n%%EOF\n")
    (event,) = lists["events"]
    event["dataValues"] = [{"dataElement": world.file, "value": file.uid}]

    upload_file(world.client, file)
    upload_file(world.client, file)
    world.send(**lists)

    assert read_event_file(world.client, file.uid, event["event"], world.file) == file


def test_the_legacy_lists_name_the_same_people(world: World) -> None:
    if not world.client.dialect.legacy:
        pytest.skip("this version has no legacy lists")
    lists = world.enrolled(5)
    world.send(**lists)

    for kind in KINDS:
        listing = replace(everything(world, kind), updated_after=datetime(2020, 1, 1, tzinfo=UTC))
        rows = read_legacy_list(world.client, listing, world.zone)
        assert uids(lists, kind) <= {row[UID_KEYS[kind]] for row in rows}


def test_what_is_sent_again_unchanged_moves_its_persons_stamp(world: World) -> None:
    lists = world.enrolled(2)
    people = sorted(uids(lists, "trackedEntities"))
    world.send(**lists)
    for kind in ("enrollments", "events"):
        before = stamps(world, people)

        assert world.send(**{kind: lists[kind]}).refused == {}

        after = stamps(world, people)
        assert all(after[person] > before[person] for person in people)


def stamps(world: World, people: list[str]) -> dict[str, str]:
    rows = list(read_by_uid(world.client, "trackedEntities", people, "trackedEntity,updatedAt"))
    assert len(rows) == len(people)
    return {row["trackedEntity"]: row["updatedAt"] for row in rows}
