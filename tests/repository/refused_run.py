"""A run in which much was refused, made by the steps themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pyarrow as pa

from builders import CLINIC, MODEL, PEOPLE, PROGRAM, SURVEILLANCE, enrollment, event, page, person
from dhis2_api.client import Dhis2Client
from planned import phases_find_nothing
from scripted_server import Reply, Request, Script, as_json, of_version, scripted
from servers import route
from tracker_sync.codes import REMEDIES
from tracker_sync.loading.batch import Destination
from tracker_sync.publish import publish
from tracker_sync.runs.plan import RunPlan, write_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.servers import note_servers
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.package import Staged, staged, writing_package
from tracker_sync.staging.sealed import write_sealed
from tracker_sync.staging.tables import PERSON_ROW, flatten
from tracker_sync.steps.load import load
from tracker_sync.steps.plan_slices import TO_READ
from tracker_sync.steps.settle import Settlement, settle
from tracker_sync.steps.transform import transform
from tracker_sync.windows.window import Window
from tracker_sync.workspace import Workspace


REFUSED = 5_000


@dataclass(frozen=True)
class Run:
    """A run whose documents are to be compared with what is written of them."""

    workspace: Workspace
    loaded: Mapping[str, Any]
    settled: Settlement


def run_with_refusals(folder: Path) -> Run:
    """Five thousand events are refused, with every code there is.

    One person does not come, nor an event of another, and two slices never report: of a
    person and of a lone event.
    """
    workspace = Workspace(folder / "staging", "demo", "manual__2026-11-24T02:00:00+00:00")
    demo = route(programs=(PROGRAM,))
    people = [one(index) for index in range(50)]
    pieces = (
        Slice(CLINIC, "Rufisque", 51),
        Slice("elsewhere", "Registered elsewhere", 1),
        Slice(f"{SURVEILLANCE}-{CLINIC}", "Surveillance, Rufisque", 1, SURVEILLANCE),
    )
    addresses = {"source": "https://a.example", "destination": "https://b.example"}
    note_servers(workspace, "a", "b", addresses)
    publish(workspace.model, MODEL.to_json().encode())
    write_run_plan(workspace.plan, plan_of(pieces))
    list_them(workspace, [*(row["trackedEntity"] for row in people), "absent00001"])
    bundles = transform(workspace, stage(workspace, people)).package
    with (
        scripted(of_version("2.42.4", refuse_events())) as server,
        Dhis2Client(server.url) as client,
    ):
        there = Destination(client, demo.programs)
        loaded = load(there, demo, workspace, pieces[0], bundles)
    phases_find_nothing(workspace)
    return Run(workspace, loaded, settle(demo, workspace))


def list_them(workspace: Workspace, people: list[str]) -> None:
    to_read = [("TRACKED_ENTITY", uid, CLINIC) for uid in people]
    to_read += [("TRACKED_ENTITY", "silent00001", "elsewhere")]
    to_read += [("EVENT", "silent00002", f"{SURVEILLANCE}-{CLINIC}")]
    rows = [{"kind": kind, "uid": uid, "slice": piece} for kind, uid, piece in to_read]
    write_sealed(workspace.listing, pa.Table.from_pylist(rows, TO_READ))


def one(index: int) -> dict[str, Any]:
    events = [event(f"event{index:03}{number:03}") for number in range(100)]
    return person(f"person{index:05}", enrollments=[enrollment(f"enroll{index:05}", events=events)])


def plan_of(pieces: tuple[Slice, ...]) -> RunPlan:
    start = datetime(2026, 11, 23, 2, tzinfo=UTC)
    later = Window(start, start.replace(day=24), start, moves=True)
    windows = {PROGRAM: later, "programEPI1": replace(later, start=None, covered=None)}
    keys = {program: program for program in windows}
    return RunPlan(windows, keys, pieces, "UTC", only_from_children=0, with_open_refusals=0)


def stage(workspace: Workspace, people: list[dict[str, Any]]) -> Staged:
    rows = parse_page(page(*people), PEOPLE, PERSON_ROW, what="test").rows
    folder = workspace.package(CLINIC, 1)
    with writing_package(folder) as package:
        package.add(flatten(rows, (PROGRAM,)))
        package.notes |= {"absent": ["absent00001"], "gone": [], "without_enrollment": []}
        package.notes["children_not_returned"] = [["EVENT", "hidden00001", "person00000"]]
        package.notes["read_number"] = 1
        package.notes["read_at"] = "2026-11-24T13:00:00+00:00"
        package.notes["timings"] = {"extract": 0.1}
    return staged(folder)


def refuse_events() -> Script:
    """Return a destination that stores people and enrollments, and refuses their events."""
    codes = cycle(sorted(REMEDIES.keys() - {"E1326"}))  # sent again in two steps
    there: dict[str, dict[str, Any]] = {}

    def script(request: Request) -> Reply:
        if request.path.endswith("/enrollments"):
            return as_json({"pager": {"page": 1}, "enrollments": []})
        if request.method == "GET":
            asked = request.query["trackedEntities"].split(",")
            return Reply(200, page(*(there[uid] for uid in asked if uid in there)))
        stored = {
            "TRACKED_ENTITY": [item["trackedEntity"] for item in request.body["trackedEntities"]],
            "ENROLLMENT": [item["enrollment"] for item in request.body["enrollments"]],
        }
        there.update(
            (uid, person(uid, enrollments=[enrollment(course, events=[])]))
            for uid, course in zip(*stored.values(), strict=True)
        )
        events = [{"trackerType": "EVENT", "uid": item["event"]} for item in request.body["events"]]
        errors = [{**item, "errorCode": next(codes)} for item in events]
        kinds = {
            kind: {"objectReports": [{"trackerType": kind, "uid": uid} for uid in uids]}
            for kind, uids in stored.items()
        }
        report = {"status": "OK", "validationReport": {"errorReports": errors}}
        return as_json(report | {"bundleReport": {"typeReportMap": kinds}})

    return script
