"""The step `extract`: read a slice's people by UID and stage them as Parquet."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from tracker_sync.package import Staged, staged, writing_package
from tracker_sync.people import read_people
from tracker_sync.route import Route
from tracker_sync.run_plan import read_run_plan
from tracker_sync.tables import Tables, flatten
from tracker_sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a slice staged.

    Attributes:
        package: Where it lies.
        rows: Table -> rows.
        absent: People who were listed and did not come.
    """

    package: Staged
    rows: Mapping[str, int]
    absent: int


def extract(
    source: Dhis2Client, route: Route, workspace: Workspace, slice_id: str, attempt: int
) -> Extracted:
    """Read everybody of a slice, and stage the tables of `tables.TABLES`.

    The package's notes name who was listed and did not come (`absent`), who was read
    for an open refusal only and did not come (`gone`), and who came without an
    enrollment in a program that lists them (`without_enrollment`): lost rights look
    like emptiness (measured: Flows).
    """
    began, read_at = time.monotonic(), datetime.now(UTC)
    workspace.ledger(slice_id).unlink(missing_ok=True)  # an earlier try's is void from here on
    listing = _listing(workspace.listing, slice_id)
    expected = {row["uid"]: row["programs"] for row in listing}
    listed = {row["uid"] for row in listing if row["listed"]}
    folder = workspace.package(slice_id, attempt)
    absent: set[str] = set()
    lost: list[tuple[str, str]] = []
    with writing_package(folder) as package:
        for people in read_people(source, sorted(expected), route.reading.at_once):
            tables = flatten(people.rows, route.programs)
            package.add(tables)
            absent |= people.absent
            lost += without_enrollment(tables, expected)
        package.notes |= {
            "route": route.name,
            "run_id": workspace.run_id,
            "slice": slice_id,
            "source_zone": read_run_plan(workspace.plan).zone,
            "read_at": read_at.isoformat(),
            "absent": sorted(absent & listed),
            "gone": sorted(absent - listed),
            "without_enrollment": lost,
            "timings": {"extract": round(time.monotonic() - began, 3)},
        }
    return Extracted(staged(folder), dict(package.rows), len(absent))


def _listing(listing: Path, slice_id: str) -> list[dict[str, Any]]:
    """Return the rows of a slice's people, see `plan_slices.TO_READ`."""
    rows: list[dict[str, Any]] = pq.read_table(
        listing, filters=pc.field("slice") == slice_id
    ).to_pylist()
    return rows


def without_enrollment(tables: Tables, expected: Mapping[str, list[str]]) -> list[tuple[str, str]]:
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
