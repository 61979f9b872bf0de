"""A slice to be extracted, as `plan_slices` leaves it for the step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from builders import MODEL
from tracker_sync.ledger import write_ledger
from tracker_sync.publish import publish
from tracker_sync.runs.after_slices import PHASES
from tracker_sync.runs.plan import RunPlan, write_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.servers import note_servers
from tracker_sync.staging.sealed import write_sealed
from tracker_sync.steps.plan_slices import TO_READ
from tracker_sync.windows.window import Window
from tracker_sync.workspace import Workspace


SLICE = "clinicRufi1"


def planned(
    folder: Path,
    expected: Mapping[str, Sequence[str]],
    *,
    program: str = "",
    related: Collection[str] = (),
    unlisted: Collection[str] = (),
    slice_id: str = SLICE,
) -> Workspace:
    """Write what the step reads.

    Args:
        folder: The staging root.
        expected: Who is read -> the programs whose lists named them alive.
        program: The program without registration, if they are its events.
        related: What a relationship type may join.
        unlisted: Those who are read because a refusal is open.
        slice_id: The slice.
    """
    workspace = Workspace(folder, "demo", "manual__1")
    rows = [
        {
            "kind": "EVENT" if program else "TRACKED_ENTITY",
            "uid": uid,
            "slice": slice_id,
            "programs": [*programs],
            "listed": uid not in unlisted,
        }
        for uid, programs in sorted(expected.items())
    ]
    if not workspace.servers.exists():
        note_servers(workspace, "https://a.example", "https://b.example")
    publish(workspace.model, replace(MODEL, related=frozenset(related)).to_json().encode())
    write_sealed(workspace.listing, pa.Table.from_pylist(rows, TO_READ))
    piece = Slice(slice_id, "Rufisque", len(rows), program)
    window = Window(None, datetime(2026, 11, 24, tzinfo=UTC), None, moves=True)
    write_run_plan(
        workspace.plan,
        RunPlan(
            windows={"programHIV1": window},
            watermark_keys={"programHIV1": "key"},
            slices=(piece,),
            zone="Africa/Dakar",
            only_from_children=0,
            with_open_refusals=0,
        ),
    )
    return workspace


def phases_find_nothing(workspace: Workspace) -> None:
    """Let every phase after the slices have come to its end with nothing to do."""
    for phase in PHASES:
        write_ledger(workspace.ledger(phase), [])


def list_children(workspace: Workspace, below: Mapping[str, Mapping[str, list[str]]]) -> None:
    """Let lists have named `enrollments` and `events` alive below those who are read."""
    rows = pq.read_table(workspace.listing).to_pylist()
    more = [row | below.get(row["uid"], {}) for row in rows]
    write_sealed(workspace.listing, pa.Table.from_pylist(more, TO_READ))
