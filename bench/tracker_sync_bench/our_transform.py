"""Our transform: how the bench has people staged, and bundles made of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from dhis2_api.dialects import dialect_of
from dhis2_api.paging import envelope_of
from tracker_sync.publish import publish
from tracker_sync.route import Reading
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.package import staged, writing_package
from tracker_sync.staging.tables import PERSON_ROW, flatten
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace
from tracker_sync_bench.material import page_of
from tracker_sync_bench.our_reading import MODEL, ROUTE
from tracker_sync_bench.population import ROOT, as_bytes, people
from tracker_sync_bench.work import Work


_NOTES = {
    **dict.fromkeys(("absent", "gone", "without_enrollment", "children_not_returned"), ()),
    "timings": {},
    "read_number": 1,
    "read_at": "2026-11-24T13:00:00+00:00",
}
_A_GROUP = Reading().at_once


def stage(work: Work) -> Callable[[], int]:
    """Stage people as the step `extract` does, so many a row group as a route reads at once."""
    workspace = _workspace(work)
    publish(workspace.model, MODEL.to_json().encode())

    def run() -> int:
        envelope = envelope_of(dialect_of("2.42.4"), "trackedEntities")
        rows = map(as_bytes, people(work.count))
        with writing_package(workspace.package(ROOT, 1)) as package:
            while group := [*islice(rows, _A_GROUP)]:
                body = page_of(group, "trackedEntities", 1, goes_on=False)
                page = parse_page(body, envelope, PERSON_ROW, what="bench")
                package.add(flatten(page.rows, ROUTE.programs))
            package.notes |= _NOTES
        return package.rows["tracked_entities"]

    return run


def make_bundles(work: Work) -> Callable[[], int]:
    """Run the step `transform` of all of them."""
    workspace = _workspace(work)
    extracted = staged(workspace.package(ROOT, 1))
    return lambda: transform(workspace, extracted).roots


def _workspace(work: Work) -> Workspace:
    return Workspace(Path(work.folder) / "staging", ROUTE.name, "bench")
