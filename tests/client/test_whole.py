"""All that a copy needs is read back: events of no person, notes, owners, relationships."""

from __future__ import annotations

from typing import Any

from client.world import World, new_uid
from dhis2_api.export import Listing, by_uid
from dhis2_api.fields import EVENT_FIELDS, PERSON_FIELDS, RELATED_FIELDS
from dhis2_api.importer import Ref, delete_objects
from dhis2_api.json_pages import Row, parse_rows
from dhis2_api.reading import read_by_uid, read_list


def test_events_without_registration_are_listed_and_read_by_uid(world: World) -> None:
    events = [world.report(), world.report(orgUnit=world.org_units[1])]
    gone = world.report()
    events[0]["notes"] = [{"note": new_uid(), "value": "vu deux fois"}]
    assert world.send(events=[*events, gone]).refused == {}
    delete_objects(world.client, [Ref("EVENT", gone["event"])])

    listing = Listing("events", world.unregistered, world.org_units, None, 1)
    listed = {row["event"]: row for row in read_list(world.client, listing, world.zone)}
    rows = read_by_uid(world.client, "events", [*listed], EVENT_FIELDS, program=world.unregistered)
    read = {row["event"]: row for row in rows}

    assert listed.keys() == read.keys() == {event["event"] for event in [*events, gone]}
    for event in events:
        assert listed[event["event"]]["orgUnit"] == event["orgUnit"]
        assert "trackedEntity" not in listed[event["event"]]
        assert read[event["event"]]["program"] == world.unregistered
        assert read[event["event"]]["dataValues"][0]["value"] == "12"
    assert [note["value"] for note in read[events[0]["event"]]["notes"]] == ["vu deux fois"]
    assert listed[gone["event"]]["deleted"] is read[gone["event"]]["deleted"] is True


def test_a_person_comes_with_owners_and_notes(world: World) -> None:
    lists = world.enrolled(1)
    for name in ("enrollments", "events"):
        lists[name][0]["notes"] = [{"note": new_uid(), "value": name}]
    assert world.send(**lists).refused == {}
    person = lists["trackedEntities"][0]["trackedEntity"]

    (row,) = read_by_uid(world.client, "trackedEntities", [person], PERSON_FIELDS)

    (enrollment,) = row["enrollments"]
    (event,) = enrollment["events"]
    assert row["programOwners"] == [{"program": world.program, "orgUnit": world.org_units[0]}]
    for holder, value in ((enrollment, "enrollments"), (event, "events")):
        (note,) = holder["notes"]
        assert note.keys() >= {"note", "value", "storedAt"}
        assert note["value"] == value
    assert event["program"] == world.program
    assert "relationships" not in row


def test_only_living_relationships_come_of_a_person_and_all_below(world: World) -> None:
    lists = world.enrolled(2)
    one, other = (str(person["trackedEntity"]) for person in lists["trackedEntities"])
    lasting, undone = link(world, one, other), link(world, other, one)
    assert world.send(**lists, relationships=[lasting, undone]).refused == {}
    delete_objects(world.client, [Ref("RELATIONSHIP", undone["relationship"])])

    rows = {row["trackedEntity"]: row for row in related(world, one, other)}

    for uid in (one, other):
        (relationship,) = rows[uid]["relationships"]
        assert relationship["relationship"] == lasting["relationship"]
        assert {end: relationship[end] for end in ("from", "to")} == {
            end: lasting[end] for end in ("from", "to")
        }
        (enrollment,) = rows[uid]["enrollments"]
        assert enrollment["relationships"] == enrollment["events"][0]["relationships"] == []


def link(world: World, one: str, other: str) -> dict[str, Any]:
    return {
        "relationship": new_uid(),
        "relationshipType": world.relationship,
        "from": {"trackedEntity": {"trackedEntity": one}},
        "to": {"trackedEntity": {"trackedEntity": other}},
    }


def related(world: World, *uids: str) -> list[Row]:
    client = world.client
    asked = by_uid(client.dialect, "trackedEntities", uids, RELATED_FIELDS, living=True)
    body = client.get_bytes(asked.path, asked.params)
    return parse_rows(body, asked.envelope, "trackedEntity", "test").rows
