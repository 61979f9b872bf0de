"""The step `plan_slices`: list once at the roots, and give each person to one slice."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.system import read_server
from tracker_sync.listing import Changes, Source
from tracker_sync.metadata.model import Model
from tracker_sync.report_text import listing_line
from tracker_sync.route import Route
from tracker_sync.run_lists import RunLists, scopes_of
from tracker_sync.run_plan import RunPlan, write_run_plan
from tracker_sync.sealed import write_sealed
from tracker_sync.selecting import Entering, check_selections, select
from tracker_sync.servers import pair_of, state_folder
from tracker_sync.slicing import Origin, divide
from tracker_sync.state import open_refusals
from tracker_sync.watermark import scope_of, secret_of
from tracker_sync.who_is_read import ToRead, who_is_read
from tracker_sync.window import Occasion, Window, window_of
from tracker_sync.workspace import Workspace


# Who is read by which slice, in the order of kind and UID; the other columns are those of
# `who_is_read.READ`.
TO_READ = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("slice", pa.string()),
        ("programs", pa.list_(pa.string())),
        ("listed", pa.bool_()),
        ("enrollments", pa.list_(pa.string())),
        ("events", pa.list_(pa.string())),
    ]
)

_log = logging.getLogger(__name__)


def plan_slices(
    client: Dhis2Client, route: Route, workspace: Workspace, occasion: Occasion
) -> RunPlan:
    """List what changed at the source, and write who is read by which slice.

    Writes `listing.parquet` (`TO_READ`) and `plan.json` into the workspace.

    Args:
        client: Speaks to the source.
        route: The route.
        workspace: The run's files; the model must be there.
        occasion: Why the run happens, and how far the runs before it came.

    Raises:
        PermanentError: It is not clear what the run is to read, or the source cannot be
            asked for a selection of the route.
    """
    void_ledgers(workspace)
    server = read_server(client)
    model = Model.from_json(workspace.model.read_text(encoding="utf-8"))
    source = Source(client, dialect_of(server.version), server.zone)
    lists = RunLists(source, route, scopes_of(route, model), occasion.drawn_back)
    check_selections(lists)
    keys, windows = _windows(lists, workspace, occasion, server.now)
    changes = lists.changes(windows)
    entering = select(lists, changes.rows, state_folder(workspace))
    to_read = who_is_read(lists, entering.rows, open_refusals(state_folder(workspace)))
    slice_of, slices = divide(origins(to_read.rows), model, route.slices)
    write_listing(workspace, to_read.rows, slice_of)
    plan = RunPlan(
        windows=windows,
        watermark_keys=keys,
        slices=tuple(slices),
        zone=source.zone.key,
        clocks=occasion.clocks,
        **_counts(changes, entering, to_read),
    )
    write_run_plan(workspace.plan, plan)
    _log.info("%s", listing_line(asdict(plan)))
    return plan


def void_ledgers(workspace: Workspace) -> None:
    """Remove what an earlier plan of this run came to: it does not speak of this one."""
    workspace.plan.unlink(missing_ok=True)
    for ledger in workspace.run.glob("*/ledger.parquet"):
        ledger.unlink()


def _windows(
    lists: RunLists, workspace: Workspace, occasion: Occasion, now: datetime
) -> tuple[dict[str, str], dict[str, Window]]:
    """Return what each scope's watermark is kept under, and what is read of it."""
    baseline = lists.route.baseline == "allow"
    zone, pair, secret = lists.source.zone.key, pair_of(workspace), secret_of(workspace)
    scopes = {scope: scope_of(lists.route, scope, pair, zone) for scope in lists.scopes.all()}
    keys = {scope: terms.key(secret) for scope, terms in scopes.items()}
    windows = {
        scope: window_of(occasion, key, now, baseline=baseline) for scope, key in keys.items()
    }
    return keys, windows


def _counts(changes: Changes, entering: Entering, to_read: ToRead) -> dict[str, Any]:
    return {
        "only_from_children": to_read.only_from_children,
        "with_open_refusals": to_read.with_open_refusals,
        "passes": changes.passes,
        "found_later": changes.found_later,
        "selected_away": entering.away,
    }


def origins(read: pa.Table) -> dict[Origin, int]:
    """Return how many are read from where."""
    found = read.group_by(["program", "org_unit"]).aggregate([([], "count_all")]).to_pylist()
    return {Origin(row["program"], row["org_unit"]): row["count_all"] for row in found}


def write_listing(workspace: Workspace, read: pa.Table, slice_of: Mapping[Origin, str]) -> None:
    """Write the rows of `READ`, each with the slice that reads it, as `TO_READ`.

    Raises:
        UnexpectedAnswer: No slice would read somebody.
    """
    origins = pa.array([f"{at.program} {at.org_unit}" for at in slice_of], pa.string())
    slices = pa.array(slice_of.values(), pa.string())
    origin = pc.binary_join_element_wise(read["program"], read["org_unit"], " ")
    sliced = read.append_column("slice", slices.take(pc.index_in(origin, value_set=origins)))
    nowhere = sliced.filter(pc.is_null(sliced["slice"]))["uid"].to_pylist()
    if nowhere:
        raise UnexpectedAnswer(f"{len(nowhere)} without org unit at the source, e.g. {nowhere[0]}")
    rows = sliced.select(TO_READ.names).sort_by([("kind", "ascending"), ("uid", "ascending")])
    write_sealed(workspace.listing, rows.cast(TO_READ))
