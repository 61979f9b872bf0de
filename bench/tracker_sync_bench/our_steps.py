"""Our steps: each task of a run in a process of its own, as Airflow has them.

Of the slices only the largest is read, made into bundles and loaded: it takes the most memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dhis2_api.client import Dhis2Client
from tracker_sync.publish import publish
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.sending.destination import Destination
from tracker_sync.servers import note_servers
from tracker_sync.staging.package import staged
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.plan_slices import plan_slices
from tracker_sync.steps.transform import transform
from tracker_sync.windows.window import Occasion
from tracker_sync.workspace import Workspace
from tracker_sync_bench.our_pipeline import DISTRICTS, SAYS_NOTHING
from tracker_sync_bench.our_reading import MODEL, ROUTE
from tracker_sync_bench.work import Work


def plan(work: Work) -> Callable[[], int]:
    """Run `plan_slices`; return how many people the largest slice has."""
    workspace = _workspace(work)
    note_servers(workspace, "source", "destination")
    publish(workspace.model, replace(MODEL, org_units=DISTRICTS).to_json().encode())

    def run() -> int:
        with Dhis2Client(work.url) as source:
            plan_slices(source, SAYS_NOTHING, workspace, Occasion("manual"))
        return _largest(workspace).to_read

    return run


def read(work: Work) -> Callable[[], int]:
    """Run `extract`."""
    workspace = _workspace(work)

    def run() -> int:
        with Dhis2Client(work.url) as source:
            found = extract(source, SAYS_NOTHING, workspace, _largest(workspace).slice, 1)
        return found.rows["tracked_entities"]

    return run


def make_bundles(work: Work) -> Callable[[], int]:
    """Run `transform`."""
    workspace = _workspace(work)
    extracted = staged(workspace.package(_largest(workspace).slice, 1))
    return lambda: transform(workspace, extracted).roots


def bring(work: Work) -> Callable[[], int]:
    """Run `load` into the destination at `work.to`."""
    workspace = _workspace(work)
    piece = _largest(workspace)
    bundles = staged(workspace.package(piece.slice, 1) / "bundles")

    def run() -> int:
        with Dhis2Client(work.to) as client:
            there = Destination(client, ROUTE.programs)
            kinds = load(there, SAYS_NOTHING, workspace, piece, bundles)["kinds"]
        return int(kinds["TRACKED_ENTITY"]["created"])

    return run


def _largest(workspace: Workspace) -> Slice:
    return max(read_run_plan(workspace.plan).slices, key=lambda piece: piece.to_read)


def _workspace(work: Work) -> Workspace:
    return Workspace(Path(work.folder) / "staging", ROUTE.name, "bench")
