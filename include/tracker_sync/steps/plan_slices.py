"""The step `plan_slices`: list once at the roots, and give each person to one slice."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.system import read_server
from tracker_sync.metadata.model import Model
from tracker_sync.reading.listed_rows import LISTED
from tracker_sync.reading.listing import Source
from tracker_sync.reading.lists import RunLists, changes, scopes_of
from tracker_sync.reading.selecting import Selecting, check_selections, subjects
from tracker_sync.reading.who_is_read import READ, WhoIsRead
from tracker_sync.route import Route
from tracker_sync.runs.plan import RunPlan, write_run_plan
from tracker_sync.runs.report_text import listing_line
from tracker_sync.runs.slicing import Origin, Slice, divide
from tracker_sync.servers import pair_of, state_folder
from tracker_sync.staging.sealed import writing_sealed
from tracker_sync.staging.spilling import Spill, spilling
from tracker_sync.state.known import open_refusals
from tracker_sync.windows.watermark import scope_of, secret_of
from tracker_sync.windows.window import Occasion, Window, window_of
from tracker_sync.workspace import Workspace


# Who is read by which slice, in the order of UIDs; the other columns are those of
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
    model = Model.read(workspace.model)
    source = Source(client, dialect_of(server.version), server.zone)
    lists = RunLists(source, route, scopes_of(route, model), occasion.drawn_back)
    check_selections(lists)
    keys, windows = _windows(lists, workspace, occasion, server.now)
    with spilling(workspace.run, READ, itself) as read:
        counts = _read_lists(lists, workspace, windows, read)
        slices = divide_and_write(workspace, read, model, route)
    plan = RunPlan(
        windows=windows,
        watermark_keys=keys,
        slices=slices,
        zone=source.zone.key,
        clocks=occasion.clocks,
        **counts,
    )
    write_run_plan(workspace.plan, plan)
    _log.info("%s", listing_line(asdict(plan)))
    return plan


def _read_lists(
    lists: RunLists, workspace: Workspace, windows: Mapping[str, Window], read: Spill
) -> dict[str, Any]:
    """Put whoever is read into *read*, and return the counts of the plan."""
    state = state_folder(workspace)
    selecting, who = Selecting(lists, state), WhoIsRead(lists, open_refusals(state))
    with spilling(workspace.run, LISTED, subjects) as listed:
        passes = lists.read(windows, listed.add)
        for part in listed.parts():
            read.add(who.named(selecting.entering(changes(part, windows))))
    others = who.with_open_refusals()
    read.add(others)
    return {
        "only_from_children": who.only_from_children,
        "with_open_refusals": others.num_rows,
        "passes": passes.most,
        "found_later": passes.found_later,
        "selected_away": selecting.away,
    }


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


def itself(read: pa.Table) -> pa.ChunkedArray:
    """Return whom each row of `READ` is about."""
    return read["uid"]


def divide_and_write(
    workspace: Workspace, read: Spill, model: Model, route: Route
) -> tuple[Slice, ...]:
    """Write who is read by which slice, as `TO_READ`, and return the slices.

    Args:
        workspace: The run's files.
        read: Who is read, as `READ`.
        model: The programs' metadata.
        route: The route.

    Raises:
        UnexpectedAnswer: No slice would read somebody.
    """
    found: Counter[Origin] = Counter()
    for part in read.parts():
        found.update(origins(part))
    slice_of, slices = divide(found, model, route.slices)
    write_listing(workspace, read.parts(), slice_of)
    return tuple(slices)


def origins(read: pa.Table) -> dict[Origin, int]:
    """Return how many are read from where."""
    found = read.group_by(["program", "org_unit"]).aggregate([([], "count_all")]).to_pylist()
    return {Origin(row["program"], row["org_unit"]): row["count_all"] for row in found}


def write_listing(
    workspace: Workspace, read: Iterable[pa.Table], slice_of: Mapping[Origin, str]
) -> None:
    """Write the rows of `READ`, each with the slice that reads it, as `TO_READ`.

    Raises:
        UnexpectedAnswer: No slice would read somebody.
    """
    with writing_sealed(workspace.listing, TO_READ) as file:
        for part in read:
            file.write_table(_sliced(part, slice_of))


def _sliced(read: pa.Table, slice_of: Mapping[Origin, str]) -> pa.Table:
    origins = pa.array([f"{at.program} {at.org_unit}" for at in slice_of], pa.string())
    slices = pa.array(slice_of.values(), pa.string())
    origin = pc.binary_join_element_wise(read["program"], read["org_unit"], " ")
    sliced = read.append_column("slice", slices.take(pc.index_in(origin, value_set=origins)))
    nowhere = sliced.filter(pc.is_null(sliced["slice"]))["uid"].to_pylist()
    if nowhere:
        raise UnexpectedAnswer(f"{len(nowhere)} without org unit at the source, e.g. {nowhere[0]}")
    return sliced.select(TO_READ.names).sort_by("uid").cast(TO_READ)
