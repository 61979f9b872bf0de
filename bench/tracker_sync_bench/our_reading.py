"""Our reading: the steps of the product, as the bench has them do their work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.paging import envelope_of
from tracker_sync.metadata.model import Model, OrgUnit
from tracker_sync.publish import publish
from tracker_sync.route import Reading, Route, Slices
from tracker_sync.servers import note_servers
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.package import writing_package
from tracker_sync.staging.tables import PERSON_ROW, flatten
from tracker_sync.steps.extract import extract
from tracker_sync.steps.plan_slices import plan_slices
from tracker_sync.windows.window import Occasion
from tracker_sync.workspace import Workspace
from tracker_sync_bench.material import LISTED_A_PAGE, PEOPLE_A_PAGE, people_in
from tracker_sync_bench.population import (
    ATTRIBUTES,
    CLINICS,
    ELEMENTS,
    PROGRAM,
    ROOT,
    STAGES,
    TYPE,
)
from tracker_sync_bench.work import Work


READERS = 4

ROUTE = Route(
    name="bench",
    source="bench_source",
    destination="bench_destination",
    programs=(PROGRAM,),
    org_units=(ROOT,),
    slices=Slices(level=1),  # one slice, so that one step has it all
    reading=Reading(page_size=LISTED_A_PAGE, at_once=PEOPLE_A_PAGE, in_parallel=READERS),
    baseline="allow",
)

MODEL = Model(
    hash="bench",
    tracked_entity_types={PROGRAM: TYPE},
    event_programs={},
    related=frozenset(),
    type_attributes={TYPE: frozenset(ATTRIBUTES[:5])},
    program_attributes={PROGRAM: frozenset(ATTRIBUTES)},
    stage_elements=dict.fromkeys(STAGES, frozenset(ELEMENTS)),
    confidential=frozenset(),
    org_units={
        ROOT: OrgUnit("Root", f"/{ROOT}"),
        **{uid: OrgUnit(uid, f"/{ROOT}/{uid}") for uid in CLINICS},
    },
)


def stage(work: Work) -> Callable[[], int]:
    """Turn pages that are in memory into a package."""
    bodies = [*people_in(Path(work.folder)).pages()]
    _stage(bodies[:1], Path(work.folder) / "first")  # what Arrow loads late is loaded now
    return lambda: _stage(bodies, Path(work.folder) / "staged")


def list_people(work: Work) -> Callable[[], int]:
    """Run the step `plan_slices` as of a first run."""
    workspace = _workspace(work)
    note_servers(workspace, "source", "destination")
    publish(workspace.model, MODEL.to_json().encode())

    def run() -> int:
        with Dhis2Client(work.url) as client:
            plan = plan_slices(client, ROUTE, workspace, Occasion("manual"))
        return sum(piece.to_read for piece in plan.slices)

    return run


def read_people(work: Work) -> Callable[[], int]:
    """Run the step `extract` of the only slice that `list_people` planned."""
    workspace = _workspace(work)
    attempt = 1 + len([*workspace.run.glob("*/try-*")])

    def run() -> int:
        with Dhis2Client(work.url) as client:
            staged = extract(client, ROUTE, workspace, ROOT, attempt)
        return staged.rows["data_values"]

    return run


def _stage(bodies: Sequence[bytes], folder: Path) -> int:
    envelope = envelope_of(dialect_of("2.42.4"), "trackedEntities")
    with writing_package(folder) as package:
        for body in bodies:
            page = parse_page(body, envelope, PERSON_ROW, what="bench")
            package.add(flatten(page.rows, ROUTE.programs))
    return package.rows["data_values"]


def _workspace(work: Work) -> Workspace:
    return Workspace(Path(work.folder) / "staging", ROUTE.name, "bench")
