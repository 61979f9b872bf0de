"""Our loading: how the bench has bundles brought to a destination."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

from dhis2_api.client import Dhis2Client
from tracker_sync.route import Batches
from tracker_sync.runs.plan import RunPlan, write_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.sending.destination import Destination
from tracker_sync.servers import note_servers, state_folder
from tracker_sync.staging.package import staged
from tracker_sync.steps.load import load
from tracker_sync.workspace import Workspace
from tracker_sync_bench.material import PEOPLE_A_PAGE
from tracker_sync_bench.our_reading import ROUTE
from tracker_sync_bench.population import ROOT
from tracker_sync_bench.work import Work


WRITERS = 4

_ROUTE = ROUTE.model_copy(
    update={"batches": Batches(tracked_entities=PEOPLE_A_PAGE, in_parallel=WRITERS)}
)
_PLAN = RunPlan({}, {}, (), "UTC", only_from_children=0, with_open_refusals=0)


def bring(work: Work) -> Callable[[], int]:
    """Run the step `load` of all people that were made into bundles, as in a first run."""
    workspace = Workspace(Path(work.folder) / "staging", ROUTE.name, "bench")
    note_servers(workspace, "source", "destination")
    write_run_plan(workspace.plan, _PLAN)
    rmtree(state_folder(workspace), ignore_errors=True)
    bundles = staged(workspace.package(ROOT, 1) / "bundles")
    piece = Slice(ROOT, "Root", work.count)

    def run() -> int:
        with Dhis2Client(work.url) as client:
            there = Destination(client, ROUTE.programs)
            kinds = load(there, _ROUTE, workspace, piece, bundles)["kinds"]
        return int(kinds["TRACKED_ENTITY"]["created"] + kinds["TRACKED_ENTITY"]["unchanged"])

    return run
