"""A load brings the files of what it sends, and says of each what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.files import AttributeOfPerson, File, digest_of, read_attribute_file, upload_file
from dhis2_api.importer import Ref
from dhis2_sandbox.faults.control import FaultControl
from dhis2_sandbox.versions import DIALECTS
from road import Road, road_of
from servers import HIV, VACCINATION
from tracker_sync.outcome import Entry, Outcome


PHOTO, CHILD = "EOcItquZkCq", "eV8rUSbzeAZ"  # an image that only the program has
REPORT, EVENT, AWA = "g61vVO04sV8", "f7sedmUE3eD", "tIazUHAG6ZW"
FIRST, SECOND = "filePhoto01", "filePhoto02"
BYTES_OF_EVENTS = "/api/events/files|dataValues/.*/file"


@pytest.fixture(params=sorted(DIALECTS))
def children(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with road_of(tmp_path, request.param, VACCINATION) as road:
        yield road


@pytest.fixture(params=sorted(DIALECTS))
def road(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with road_of(tmp_path, request.param, HIV) as road:
        yield road


def photograph(client: Dhis2Client, uid: str | None) -> None:
    """Give the child a photo as somebody at that server would, or take it away."""
    if uid:
        upload_file(client, File(uid, "Awa.png", "image/png", uid.encode()))
    fields = "trackedEntity,trackedEntityType,orgUnit"
    person = client.get(f"/api/tracker/trackedEntities/{CHILD}", {"fields": fields})
    send(client, trackedEntities=[{**person, "attributes": [{"attribute": PHOTO, "value": uid}]}])


def report(client: Dhis2Client, uid: str) -> None:
    """Put a laboratory's report into the event."""
    upload_file(client, File(uid, "report.pdf", "application/pdf", uid.encode()))
    event = client.get(f"/api/tracker/events/{EVENT}", {"fields": "*,!relationships,!notes"})
    send(client, events=[{**event, "dataValues": [{"dataElement": REPORT, "value": uid}]}])


def send(client: Dhis2Client, **lists: Any) -> None:
    answer = client.post("/api/tracker", lists, {"async": "false"}).json()
    assert answer["validationReport"]["errorReports"] == []


def photo_at(client: Dhis2Client) -> str | None:
    """The file that the child's photo is, as the program shows it."""
    params = {"program": VACCINATION, "fields": "attributes[attribute,value]"}
    person = client.get(f"/api/tracker/trackedEntities/{CHILD}", params)
    values = {item["attribute"]: item["value"] for item in person["attributes"]}
    return values.get(PHOTO)


def named_at(client: Dhis2Client) -> str | None:
    fields = {"fields": "dataValues[dataElement,value]"}
    values = client.get(f"/api/tracker/events/{EVENT}", fields)["dataValues"]
    return {item["dataElement"]: item["value"] for item in values}.get(REPORT)


def by_ref(entries: list[Entry]) -> dict[Ref, Entry]:
    lines = {entry.ref: entry for entry in entries}
    assert len(lines) == len(entries) > 3
    return lines


def test_a_photo_arrives_with_its_child_and_the_next_run_sends_nothing(children: Road) -> None:
    photograph(children.source, FIRST)

    first, second = (by_ref(children.loaded(run, CHILD)) for run in ("one", "two"))

    owner = AttributeOfPerson(CHILD, PHOTO, VACCINATION)
    there = read_attribute_file(children.destination, FIRST, owner, image=True)
    assert there.content == FIRST.encode()
    assert photo_at(children.destination) == FIRST
    assert {line.outcome for line in first.values()} == {Outcome.STORED}
    assert first[Ref("FILE", FIRST)].action == "created"
    assert {(line.outcome, line.sent) for line in second.values()} == {(Outcome.UNCHANGED, False)}
    assert first.keys() == second.keys()


def test_another_photo_replaces_the_first_and_a_cleared_one_is_cleared(children: Road) -> None:
    photograph(children.source, FIRST)
    children.loaded("one", CHILD)

    photograph(children.source, SECOND)
    second = by_ref(children.loaded("two", CHILD))
    replaced = photo_at(children.destination)
    photograph(children.source, None)
    third = by_ref(children.loaded("three", CHILD))
    fourth = by_ref(children.loaded("four", CHILD))

    assert replaced == SECOND
    assert second[Ref("FILE", SECOND)].outcome is Outcome.STORED
    assert photo_at(children.destination) is None
    assert Outcome.REFUSED not in {line.outcome for line in [*second.values(), *third.values()]}
    assert not any(line.sent for line in fourth.values())


def test_an_event_arrives_with_its_file(road: Road) -> None:
    report(road.source, FIRST)

    first, second = (by_ref(road.loaded(run, AWA)) for run in ("one", "two"))

    assert named_at(road.destination) == FIRST
    assert digest_of(road.destination, FIRST) == digest_of(road.source, FIRST) is not None
    assert first[Ref("FILE", FIRST)].outcome is Outcome.STORED
    assert second[Ref("FILE", FIRST)].outcome is Outcome.UNCHANGED
    assert not any(line.sent for line in second.values())


@pytest.mark.parametrize("road", ["2.41.8", "2.43.1"], indirect=True)
def test_a_lost_file_stops_its_event_alone_until_it_is_back(road: Road) -> None:
    report(road.source, FIRST)
    lost = FaultControl(road.source.url)
    lost.order("status", path=BYTES_OF_EVENTS, status=500, times=None)
    first, second = (by_ref(road.loaded(run, AWA)) for run in ("one", "two"))
    lost.clear()
    third = by_ref(road.loaded("three", AWA))

    event, file = Ref("EVENT", EVENT), Ref("FILE", FIRST)
    for ref in (event, file):
        assert (first[ref].outcome, first[ref].code, first[ref].known) == (
            Outcome.REFUSED,
            "SYNC_FILE_NOT_AT_SOURCE",
            False,
        )
        assert (second[ref].outcome, second[ref].known) == (Outcome.REFUSED, True)
        assert third[ref].outcome is Outcome.STORED
    others = {line.outcome for ref, line in first.items() if ref not in {event, file}}
    assert others == {Outcome.STORED}
    assert named_at(road.destination) == FIRST


@pytest.mark.parametrize("children", ["2.40.9", "2.42.4"], indirect=True)
def test_a_load_that_died_between_file_and_value_uploads_nothing_twice(children: Road) -> None:
    photograph(children.source, FIRST)
    faults = children.faults()
    faults.order("latency", method="POST", path="/api/fileResources", seconds=0, times=None)
    faults.order("reset", method="POST", path="/api/tracker\\?", times=None)
    with pytest.raises(TransientError):
        children.loaded("one", CHILD)
    uploads = faults.told()[0]["met"]
    faults.clear()
    faults.order("latency", method="POST", path="/api/fileResources", seconds=0, times=None)

    again = by_ref(children.loaded("two", CHILD))

    assert uploads == 1
    assert faults.told()[0]["met"] == 0
    assert photo_at(children.destination) == FIRST
    assert {line.outcome for line in again.values()} <= {Outcome.STORED, Outcome.UNCHANGED}


@pytest.mark.parametrize("road", ["2.42.4"], indirect=True)
def test_a_file_that_the_destination_lost_with_its_value_comes_again(road: Road) -> None:
    report(road.source, FIRST)
    road.loaded("one", AWA)
    event = road.destination.get(f"/api/tracker/events/{EVENT}", {"fields": "*,!relationships"})
    send(
        road.destination, events=[event | {"dataValues": [{"dataElement": REPORT, "value": None}]}]
    )

    again = by_ref(road.loaded("two", AWA))

    assert named_at(road.destination) == FIRST
    assert again[Ref("FILE", FIRST)].outcome is Outcome.UNCHANGED
