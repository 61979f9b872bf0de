"""The step `extract`: read a slice's people, or events, by UID and stage them as Parquet."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from tracker_sync.metadata.model import Model
from tracker_sync.reading.listed_children import Child
from tracker_sync.reading.slices import Listed, SliceReading, read_listed
from tracker_sync.route import Route
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.servers import state_folder
from tracker_sync.staging.package import PackageWriter, Staged, staged, writing_package
from tracker_sync.staging.tables import Tables
from tracker_sync.state.read_number import next_read_number
from tracker_sync.workspace import Workspace


_TRIGGER_OR_CLEAR = (
    "has no plan any more: its staging was removed, or a task before `plan_slices` ran anew. "
    "Trigger a run by hand with `from` at the start of its window, or clear the whole run"
)

_log = logging.getLogger(__name__)


class NothingPlanned(Exception):
    """The files of the run were removed, or its plan was voided; says what to do."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a slice staged.

    Attributes:
        package: Where it lies.
        rows: Table -> rows.
        absent: Those who were listed and did not come.
    """

    package: Staged
    rows: Mapping[str, int]
    absent: int


def extract(
    source: Dhis2Client, route: Route, workspace: Workspace, slice_id: str, attempt: int
) -> Extracted:
    """Read everybody of a slice, and stage the tables of `tables.TABLES`.

    What the package's notes say is told in `docs/staging.md`. They name who did not come
    (`absent`, or `gone` if only an open refusal had them read), who came without an
    enrollment in a program that lists them, and which listed children did not come with
    their people: lost rights look like emptiness (measured: Flows).

    Raises:
        NothingPlanned: The run's files are not there.
    """
    began, read_at = time.monotonic(), datetime.now(UTC)
    if not workspace.plan.is_file():
        raise NothingPlanned(f"{workspace.run.name} {_TRIGGER_OR_CLEAR}")
    read_number = next_read_number(workspace.reads, state_folder(workspace))
    workspace.ledger(slice_id).unlink(missing_ok=True)  # an earlier try's is void from here on
    run_plan = read_run_plan(workspace.plan)
    (program,) = {piece.program for piece in run_plan.slices if piece.slice == slice_id}
    listed = read_listed(workspace.listing, slice_id)
    related = Model.read(workspace.model).related
    reading = SliceReading(source, route, program, related)
    folder = workspace.package(slice_id, attempt)
    with writing_package(folder) as package:
        package.notes |= {
            "route": route.name,
            "run_id": workspace.run_id,
            "slice": slice_id,
            "program": program,
            "source_zone": run_plan.zone,
            "read_number": read_number,
            "read_at": read_at.isoformat(),
            **_stage(package, reading, listed),
            "unknown_keys": _told(reading.unknown_keys()),
            "timings": {"extract": round(time.monotonic() - began, 3)},
        }
    return Extracted(staged(folder), dict(package.rows), len(reading.absent))


def _stage(package: PackageWriter, reading: SliceReading, listed: Listed) -> dict[str, Any]:
    """Write what comes, and return the notes about what does not."""
    lost: list[tuple[str, str]] = []
    children: list[Child] = []
    with closing(reading.tables([*listed.programs])) as groups:
        for tables in groups:
            package.add(tables)
            lost += without_enrollment(tables, listed.programs)
            children += listed.children.not_returned(tables)
    return {
        "absent": sorted(reading.absent.difference(listed.unlisted)),
        "gone": sorted(reading.absent.intersection(listed.unlisted)),
        "without_enrollment": lost,
        "children_not_returned": children,
        "relationships_not_read": sorted(reading.not_related),
    }


def _told(unknown_keys: list[str]) -> list[str]:
    if unknown_keys:
        _log.warning("the source has keys that are not copied: %s", ", ".join(unknown_keys))
    return unknown_keys


def without_enrollment(
    tables: Tables, expected: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    """Return who came alive without an enrollment in a program that lists them.

    Args:
        tables: What came.
        expected: Person -> the programs whose lists named them.
    """
    people = tables["tracked_entities"]
    living = people.filter(pc.invert(people["deleted"]))["trackedEntity"].to_pylist()
    enrollments = tables["enrollments"]
    pairs = (enrollments[name].to_pylist() for name in ("trackedEntity", "program"))
    found = set(zip(*pairs, strict=True))
    wanted = ((uid, program) for uid in living for program in expected[uid])
    return [pair for pair in wanted if pair not in found]
