"""A batch reaches a real destination, is proven to lie there, and nothing is sent twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from builders import MODEL, PROGRAM, lone_event, lone_trees, page, person, trees
from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.export import Listing
from dhis2_api.fields import UID_KEYS, Listed
from dhis2_api.importer import Ref, delete_objects
from dhis2_api.reading import read_list
from scripted_server import Reply, Request, as_json, of_version, scripted
from servers import HIV, SENEGAL, SURVEILLANCE, grant, route, running
from tracker_sync.bundling.projection import Projection
from tracker_sync.loading.batch import Destination, load_batch
from tracker_sync.loading.stamps import read_stamps
from tracker_sync.metadata import synchronise
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.objects import Tree, as_bundles, payload, trees_of
from tracker_sync.planning.plan import Past, Planned, plan
from tracker_sync.reading.people import read_events, read_people
from tracker_sync.sending.choreography import in_more_steps
from tracker_sync.sending.delivery import deliver
from tracker_sync.staging.tables import Tables, flatten, flatten_events


NOW = {"async": "false"}
RESULT = "nEHoqPyvxSS"  # compulsory in the stage of notified cases


@dataclass(frozen=True)
class Road:
    """A district, and a server that has its metadata and may take its data."""

    source: Dhis2Client
    destination: Destination
    past: Past

    def cases(self) -> list[Tree]:
        """The notified cases at the source."""
        return self.events_of(self.source, listed(self.source, "events", SURVEILLANCE))

    def there(self, *uids: str) -> list[Tree]:
        """Cases at the destination."""
        return self.events_of(self.destination.client, [*uids])

    def events_of(self, client: Dhis2Client, uids: list[str]) -> list[Tree]:
        batches = read_events(client, uids, SURVEILLANCE, 300)
        return [tree for batch in batches for tree in self.trees(flatten_events(batch.rows))]

    def people(self, count: int) -> list[Tree]:
        """People of the source in the HIV program."""
        uids = sorted(listed(self.source, "trackedEntities", HIV))[:count]  # lists have no order
        batches = read_people(self.source, uids, 300)
        return [tree for batch in batches for tree in self.trees(flatten(batch.rows, (HIV,)))]

    def trees(self, tables: Tables) -> list[Tree]:
        return [*trees_of(as_bundles(tables, Projection.of(self.past.model)))]

    def load(self, trees: list[Tree]) -> dict[Ref, Entry]:
        lines = load_batch(self.destination, trees, self.past)
        assert lines
        return {line.ref: line for line in lines}


@pytest.fixture(params=["2.40.9", "2.43.1"])
def road(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with (
        running(tmp_path, "from", district=True, version=request.param) as source,
        running(tmp_path, "to", version=request.param) as destination,
    ):
        programs = (HIV, SURVEILLANCE)
        model = synchronise(source, destination, route(programs=programs)).model
        grant(destination, SENEGAL)
        fresh = Credentials(token=f"d2p_{'to':x<32}")  # a session keeps the rights it began with
        with Dhis2Client(destination.url, fresh, name="to") as client:
            yield Road(source, Destination(client, programs), Past({}, 1, model))


def listed(client: Dhis2Client, kind: Listed, program: str) -> list[str]:
    listing = Listing(kind, program, (SENEGAL,), None, 1_000)
    uids = [row[UID_KEYS[kind]] for row in read_list(client, listing, ZoneInfo("UTC"))]
    assert uids
    return uids


def contents(trees: list[Tree]) -> dict[Ref, str | None]:
    return {item.ref: item.content for tree in trees for item in tree.objects}


def payload_of(tree: Tree) -> dict[str, Any]:
    return dict(payload(tree.objects[0]))


def with_payload(tree: Tree, changed: dict[str, Any]) -> Tree:
    """Return a lone event that says something else."""
    return replace(tree, objects=(tree.objects[0]._replace(content=json.dumps(changed)),))


def outcomes(lines: dict[Ref, Entry]) -> set[Outcome]:
    return {line.outcome for line in lines.values()}


def test_events_without_registration_arrive_and_are_not_sent_again(road: Road) -> None:
    cases = road.cases()
    assert len(cases) == 60

    first = road.load(cases)
    there = road.there(*(case.uid for case in cases))
    second = road.load(cases)

    assert outcomes(first) == {Outcome.STORED}
    assert {line.tracked_entity for line in first.values()} == {None}
    assert contents(there) == contents(cases)
    assert outcomes(second) == {Outcome.UNCHANGED}
    assert not any(line.sent for line in second.values())


def test_every_line_has_the_stamp_the_destination_gave(road: Road) -> None:
    cases = road.cases()

    first, second = road.load(cases), road.load(cases)

    stamps = read_stamps(road.destination.client, cases)
    assert stamps.keys() == first.keys()
    assert {ref: line.destination_updated_at for ref, line in first.items()} == stamps
    assert {ref: line.destination_updated_at for ref, line in second.items()} == stamps


def test_a_refused_event_never_blocks_its_neighbours(road: Road) -> None:
    bad, *good = road.cases()
    said = payload_of(bad)
    values = [value for value in said["dataValues"] if value["dataElement"] != RESULT]
    bad = with_payload(bad, said | {"dataValues": values})

    lines = road.load([bad, *good])

    refused = {ref.uid: line for ref, line in lines.items() if line.outcome is Outcome.REFUSED}
    assert refused.keys() == {bad.uid}
    assert refused[bad.uid].code == "E1303"
    assert sum(line.outcome is Outcome.STORED for line in lines.values()) == len(good) == 59
    assert len(road.there(bad.uid, good[0].uid)) == 1


def test_an_event_deleted_at_the_destination_is_refused_and_one_at_the_source_held(
    road: Road,
) -> None:
    here, there, *_ = road.load(road.cases())
    delete_objects(road.source, [here])
    delete_objects(road.destination.client, [there])

    lines = road.load(road.events_of(road.source, [here.uid, there.uid]))

    assert (lines[here].outcome, lines[here].code) == (Outcome.HELD, "SYNC_DELETE_HELD")
    assert (lines[there].outcome, lines[there].code) == (Outcome.REFUSED, "E1082")


def test_only_the_event_that_changed_is_sent_and_a_cleared_value_is_cleared(road: Road) -> None:
    road.load(road.cases())
    victim, other, *_ = road.cases()
    said = payload_of(victim)
    held = [value["dataElement"] for value in said["dataValues"]]
    values = [{"dataElement": uid, "value": "NEG" if uid == RESULT else None} for uid in held]
    road.source.post("/api/tracker", {"events": [said | {"dataValues": values}]}, NOW)

    lines = road.load(road.events_of(road.source, [victim.uid, other.uid]))

    assert [ref.uid for ref, line in lines.items() if line.sent] == [victim.uid]
    theirs = road.there(victim.uid)
    assert [value["value"] for value in payload_of(theirs[0])["dataValues"]] == ["NEG"]
    assert contents(theirs) == contents(road.events_of(road.source, [victim.uid]))


def test_a_person_gets_the_stamps_of_all_below_though_only_an_event_was_sent(road: Road) -> None:
    people = road.people(5)
    assert outcomes(road.load(people)) == {Outcome.STORED}
    visit = next(item for item in people[0].objects if item.ref.kind == "EVENT")
    moved = payload(visit) | {"occurredAt": "2026-02-01T00:00:00.000"}
    road.source.post("/api/tracker", {"events": [moved]}, NOW)
    people = road.people(5)

    lines = road.load(people)

    assert [ref for ref, line in lines.items() if line.sent] == [visit.ref]
    stamps = read_stamps(road.destination.client, people)
    assert {ref: line.destination_updated_at for ref, line in lines.items()} == {
        ref: stamps[ref] for ref in lines
    }


def test_what_is_called_stored_and_is_not_there_is_missing() -> None:
    def script(request: Request) -> Reply:
        if request.method == "GET":
            return Reply(200, page().replace(b"trackedEntities", request.path[13:].encode()))
        return stored(request.body)

    with (
        scripted(of_version("2.42.4", script)) as server,
        Dhis2Client(server.url) as client,
    ):
        destination = Destination(client, (PROGRAM,), pauses=())
        batches = [trees(person()), lone_trees(lone_event())]
        lines = [load_batch(destination, batch, Past({}, 1, MODEL)) for batch in batches]

    assert [len(batch) for batch in lines] == [3, 1]
    for line in (line for batch in lines for line in batch):
        assert (line.outcome, line.code) == (Outcome.MISSING, "SYNC_STORED_AND_NOT_THERE")
        assert line.action is None


def stored(body: dict[str, Any]) -> Reply:
    keys = {"trackedEntities": "trackedEntity", "enrollments": "enrollment", "events": "event"}
    kinds = dict(zip(keys, ("TRACKED_ENTITY", "ENROLLMENT", "EVENT"), strict=True))
    types = {
        kinds[name]: {
            "objectReports": [{"trackerType": kinds[name], "uid": row[keys[name]]} for row in rows]
        }
        for name, rows in body.items()
    }
    report = {"status": "OK", "validationReport": {"errorReports": []}}
    return as_json(report | {"bundleReport": {"typeReportMap": types}})


class Flaky:
    """A destination that does what it is told, and answers otherwise."""

    def __init__(self, answer: Callable[[dict[str, Any]], Reply | None]) -> None:
        self.answer = answer
        self.there: dict[str, dict[str, Any]] = {}
        self.posts: list[list[str]] = []

    def __call__(self, request: Request) -> Reply | None:
        if request.method == "GET":
            asked = request.query["trackedEntities"].split(",")
            return Reply(200, page(*(self.there[uid] for uid in asked if uid in self.there)))
        people = request.body.get("trackedEntities", [])
        self.posts.append([item["trackedEntity"] for item in people])
        reply = self.answer(request.body)
        self.there |= {uid: person(uid, enrollments=[]) for uid in self.posts[-1]}
        return reply

    def load(self, count: int, pauses: tuple[float, ...]) -> list[Entry]:
        people = trees(*(person(f"person{index:05}", enrollments=[]) for index in range(count)))
        with scripted(of_version("2.42.4", self)) as server, Dhis2Client(server.url) as client:
            destination = Destination(client, (PROGRAM,), pauses=pauses)
            return load_batch(destination, people, Past({}, 1, MODEL))


def test_a_lone_object_at_which_the_server_broke_down_after_it_was_stored_is_stored() -> None:
    flaky = Flaky(lambda body: as_json({}, 500) if body else stored(body))

    lines = flaky.load(1, ())

    assert [(line.outcome, line.action) for line in lines] == [(Outcome.STORED, "created")]
    assert [uids for uids in flaky.posts if uids] == [["person00000"]]


def test_after_a_lost_answer_what_is_there_is_not_sent_again() -> None:
    replies = iter([None])
    flaky = Flaky(lambda body: next(replies, stored(body)))

    lines = flaky.load(4, (0.0,))

    assert {line.outcome for line in lines} == {Outcome.STORED}
    assert [len(uids) for uids in flaky.posts] == [4]


def test_what_was_too_much_at_once_is_sent_again_in_smaller_requests() -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if len(body["trackedEntities"]) > 1:
            flaky.posts[-1].clear()  # the proxy gave up before the server had it
            return Reply(504, b"<html>", "text/html")
        return stored(body)

    flaky = Flaky(answer)

    lines = flaky.load(4, (0.0, 0.0))

    assert {line.outcome for line in lines} == {Outcome.STORED}
    assert [len(uids) for uids in flaky.posts] == [0, 0, 1, 1, 1, 1]


def test_one_whom_a_firewall_stops_is_named_and_all_others_are_stored() -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if "person00002" in flaky.posts[-1]:
            flaky.posts[-1].clear()  # the server never had it
            return Reply(403, b"<html>Forbidden</html>", "text/html")
        return stored(body)

    flaky = Flaky(answer)

    lines = flaky.load(4, ())

    codes = {line.ref.uid: line.code for line in lines if line.outcome is Outcome.REFUSED}
    assert codes == {"person00002": "SYNC_REQUEST_REFUSED"}
    assert len([line for line in lines if line.outcome is Outcome.STORED]) == 3
    assert flaky.there.keys() == {"person00000", "person00001", "person00003"}


def test_a_completed_event_of_a_stage_that_blocks_entry_is_reopened_and_completed() -> None:
    """From 2.42.6 and 2.43.1 on (measured: Flows, E1326)."""
    statuses: list[str] = []

    def script(request: Request) -> Reply:
        (visit,) = request.body["events"]
        statuses.append(visit["status"])
        if statuses == ["COMPLETED"]:
            errors = [{"trackerType": "EVENT", "uid": visit["event"], "errorCode": "E1326"}]
            return as_json({"status": "OK", "validationReport": {"errorReports": errors}})
        return stored(request.body)

    planned = plan(lone_trees(lone_event(status="COMPLETED"))[0], None, Past({}, 1, MODEL))
    with scripted(script) as server, Dhis2Client(server.url) as client:

        def send(items: Sequence[Planned]) -> list[Entry]:
            return deliver(client, items)

        lines = in_more_steps(send, planned, send(planned))

    assert statuses == ["COMPLETED", "ACTIVE", "COMPLETED"]
    assert [line.outcome for line in lines] == [Outcome.STORED]
