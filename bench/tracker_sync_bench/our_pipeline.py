"""Our pipeline: while a slice is loaded, the next ones are read and made into bundles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

from dhis2_api.client import Dhis2Client
from tracker_sync.metadata.model import OrgUnit
from tracker_sync.publish import publish
from tracker_sync.route import Batches, Route, Slices
from tracker_sync.runs.slicing import Slice
from tracker_sync.sending.destination import Destination
from tracker_sync.servers import note_servers
from tracker_sync.staging.package import Staged
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.plan_slices import plan_slices
from tracker_sync.steps.transform import transform
from tracker_sync.windows.window import Occasion
from tracker_sync.workspace import Workspace
from tracker_sync_bench.our_reading import MODEL, ROUTE
from tracker_sync_bench.population import CLINICS, ROOT
from tracker_sync_bench.work import Work


WRITERS = 4
PEOPLE_A_BATCH = 50

_CLINICS_A_DISTRICT = 3

IN_DISTRICTS = ROUTE.model_copy(
    update={
        "slices": Slices(level=2),
        "batches": Batches(tracked_entities=PEOPLE_A_BATCH, in_parallel=WRITERS),
    }
)
SAYS_NOTHING = IN_DISTRICTS.model_copy(update={"batches": Batches()})


def bring(work: Work) -> Callable[[], int]:
    """Bring everybody of the source at `work.url` to the destination at `work.to`."""
    return _bringing(work, IN_DISTRICTS)


def bring_unsaid(work: Work) -> Callable[[], int]:
    """Do the same with the batches of a route that says nothing about them."""
    return _bringing(work, SAYS_NOTHING)


def _bringing(work: Work, route: Route) -> Callable[[], int]:
    staging = Path(work.folder) / "staging"
    rmtree(staging, ignore_errors=True)  # another measurement's
    workspace = Workspace(staging, ROUTE.name, "bench")
    note_servers(workspace, "source", "destination")
    publish(workspace.model, replace(MODEL, org_units=DISTRICTS).to_json().encode())

    def run() -> int:
        with Dhis2Client(work.url) as source, Dhis2Client(work.to) as client:
            there = Destination(client, ROUTE.programs)
            pieces = plan_slices(source, route, workspace, Occasion("manual")).slices
            return sum(
                load(there, route, workspace, piece, ready.result())["kinds"]["TRACKED_ENTITY"][
                    "created"
                ]
                for piece, ready in _each_ready(source, workspace, pieces)
            )

    return run


def _each_ready(
    source: Dhis2Client, workspace: Workspace, pieces: tuple[Slice, ...]
) -> Iterator[tuple[Slice, Future[Staged]]]:
    """Yield slices in order, the next one under way."""

    def make(piece: Slice) -> Staged:
        extracted = extract(source, IN_DISTRICTS, workspace, piece.slice, 1)
        return transform(workspace, extracted.package).package

    with ThreadPoolExecutor(1) as pool:
        yield from [(piece, pool.submit(make, piece)) for piece in pieces]


def _districts() -> dict[str, OrgUnit]:
    """Return the clinics, some under one district, so that there are slices of some size."""
    units = {ROOT: OrgUnit("Root", f"/{ROOT}")}
    for number, uid in enumerate(CLINICS):
        district = f"distBench{number // _CLINICS_A_DISTRICT:02}"
        units[district] = OrgUnit(district, f"/{ROOT}/{district}")
        units[uid] = OrgUnit(uid, f"/{ROOT}/{district}/{uid}")
    return units


DISTRICTS = _districts()
