"""A load leaves what it knows in the state, also of who did not come and if it dies half-way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from builders import CLINIC, MODEL, PEOPLE, PROGRAM, SURVEILLANCE, page, person
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.importer import Ref
from dhis2_api.patience import Patience
from scripted_server import Reply, Request, as_json, of_version, scripted
from servers import route
from tracker_sync.ledger import as_entries, as_table
from tracker_sync.loading.batch import Destination
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import publish
from tracker_sync.runs.plan import RunPlan, write_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.servers import note_servers, state_folder
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.package import Staged, staged, writing_package
from tracker_sync.staging.tables import PERSON_ROW, flatten
from tracker_sync.state.known import Page, open_refusals, recall
from tracker_sync.state.pages import pages
from tracker_sync.state.remembering import remember_as_they_come
from tracker_sync.steps.load import load
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace


PIECE = Slice(CLINIC, "Rufisque", 1)
PLAN = RunPlan({}, {}, (PIECE,), "UTC", only_from_children=0, with_open_refusals=0)
AWA = Ref("TRACKED_ENTITY", "person00001")
Json = dict[str, Any]


def bare(uid: str) -> Json:
    return person(uid, enrollments=[])


class There:
    """A destination that keeps people, unless it is told to refuse them, or to die."""

    def __init__(self) -> None:
        self.people: dict[str, Json] = {}
        self.refuses = False
        self.requests_left = 1_000

    def __call__(self, request: Request) -> Reply:
        self.requests_left -= 1
        if self.requests_left < 0:
            return as_json({}, 503)
        if request.method == "GET":
            asked = request.query["trackedEntities"].split(",")
            return Reply(200, page(*(self.people[uid] for uid in asked if uid in self.people)))
        sent = [item["trackedEntity"] for item in request.body["trackedEntities"]]
        items = [{"trackerType": "TRACKED_ENTITY", "uid": uid} for uid in sent]
        errors = [{**item, "errorCode": "E1064"} for item in items if self.refuses]
        self.people |= {uid: bare(uid) for uid in sent if not self.refuses}
        stored = {"TRACKED_ENTITY": {"objectReports": [] if self.refuses else items}}
        return as_json(
            {
                "status": "OK",
                "validationReport": {"errorReports": errors},
                "bundleReport": {"typeReportMap": stored},
            }
        )


class Nights:
    """One slice that is loaded night after night."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.there = There()
        self.workspace = self.next()

    def next(self) -> Workspace:
        self.number += 1
        self.workspace = Workspace(self.folder, "demo", f"night-{self.number}")
        note_servers(self.workspace, "a", "b")
        publish(self.workspace.model, MODEL.to_json().encode())
        write_run_plan(self.workspace.plan, PLAN)
        return self.workspace

    def stage(self, *came: str, gone: tuple[str, ...] = ()) -> Staged:
        """Return the bundles of people, one row group each."""
        folder = self.workspace.package(CLINIC, 1)
        with writing_package(folder) as package:
            for uid in came:
                rows = parse_page(page(bare(uid)), PEOPLE, PERSON_ROW, what="test").rows
                package.add(flatten(rows, (PROGRAM,)))
            package.notes |= {"absent": [], "gone": [*gone], "without_enrollment": []}
            package.notes["children_not_returned"] = []
            package.notes |= {"read_number": self.number, "timings": {}}
            package.notes["read_at"] = "2026-11-24T13:00:00+00:00"
        return transform(self.workspace, staged(folder)).package

    def load(self, bundles: Staged, **batches: int) -> Json:
        script = of_version("2.42.4", self.there)
        terms = route(programs=(PROGRAM,), batches=batches)
        patience = Patience(budget=0)
        with scripted(script) as server, Dhis2Client(server.url, patience=patience) as client:
            there = Destination(client, terms.programs, pauses=())
            return load(there, terms, self.workspace, PIECE, bundles)

    def open(self) -> set[Ref]:
        return {*open_refusals(state_folder(self.workspace))}


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def test_a_refusal_stays_open_while_the_source_does_not_return_the_person(nights: Nights) -> None:
    nights.there.refuses = True
    nights.load(nights.stage(AWA.uid))
    refused = nights.open()

    nights.next()
    lost_rights = nights.load(nights.stage(gone=(AWA.uid,)))
    without = nights.open()
    nights.there.refuses = False
    nights.next()
    nights.load(nights.stage(AWA.uid))

    assert lost_rights["codes"] == {"SYNC_GONE_AT_SOURCE": 1}
    assert refused == without == {AWA}
    assert nights.open() == set()
    assert nights.there.people.keys() == {AWA.uid}


def test_what_was_loaded_before_a_destination_died_is_known(nights: Nights) -> None:
    people = [f"person{number:05}" for number in range(6)]
    bundles = nights.stage(*people)
    nights.there.requests_left = 3 * 2 + 1  # compare, send, read back: two batches, and one look

    with pytest.raises(TransientError):
        nights.load(bundles, tracked_entities=2, in_parallel=1)

    known = recall(state_folder(nights.workspace), people, but_run="night-2")
    assert {ref.uid for ref in known} == nights.there.people.keys() == {*people[:4]}
    assert not any(what.refused for what in known.values())


def test_a_large_slice_is_remembered_in_few_pages_as_it_goes(tmp_path: Path) -> None:
    refs = [Ref("EVENT", f"event{number:06}") for number in range(11_000)]
    seen: list[int] = []

    def lines() -> Iterator[pa.Table]:
        for ref in refs:
            yield as_table([Entry(ref, None, Outcome.STORED, content_hash="h")])
            seen.append(len(pages(tmp_path)))

    page = Page(tmp_path, "r1", "slice", 1, datetime.now(UTC), SURVEILLANCE)
    came = remember_as_they_come(page, lines(), "m1")

    assert [entry.ref for entry in as_entries(came)] == refs
    assert (seen[4_998], seen[5_001], seen[-1], len(pages(tmp_path))) == (0, 1, 2, 3)
    assert recall(tmp_path, (), "r2", {ref.uid for ref in refs}).keys() == {*refs}
