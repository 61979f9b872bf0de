"""The step `plan_slices`: list once at the roots, and give each person to one slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.export import Listing
from dhis2_api.system import read_server
from tracker_sync.listing import KINDS, Source, list_changes, registration_org_units
from tracker_sync.metadata.model import Model
from tracker_sync.publish import publishing
from tracker_sync.route import Route
from tracker_sync.run_plan import RunPlan, write_run_plan
from tracker_sync.servers import pair_of, state_folder
from tracker_sync.slicing import describe, slice_of_each
from tracker_sync.state import people_with_open_refusals
from tracker_sync.watermark import scope_of
from tracker_sync.window import Occasion, Window, window_of
from tracker_sync.workspace import Workspace


# Who is to be read: one row a person (`TRACKED_ENTITY`), or an event of a program without
# registration (`EVENT`). `programs` are those whose lists named it alive; a read that shows
# no enrollment in one of them has lost something. Not `listed` are people who are read
# because a refusal is open.
TO_READ = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("slice", pa.string()),
        ("programs", pa.list_(pa.string())),
        ("listed", pa.bool_()),
    ]
)


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
        PermanentError: It is not clear what the run is to read.
    """
    _void_ledgers(workspace)
    server = read_server(client)
    source = Source(client, dialect_of(server.version), server.zone)
    places = Model.from_json(workspace.model.read_text(encoding="utf-8")).org_units
    pair = pair_of(workspace)
    keys = {program: scope_of(route, program, pair).key() for program in route.programs}
    windows = {
        program: window_of(occasion, key, server.now, baseline=route.baseline == "allow")
        for program, key in keys.items()
    }
    listed = _within(list_changes(source, _listings(route, windows, source.zone)), windows)
    programs = _programs_of_each(listed)
    refused = people_with_open_refusals(state_folder(workspace)) - programs.keys()
    slice_of = slice_of_each(
        _registered(source, listed, refused, route.reading.at_once), places, route.slices
    )
    _write_listing(workspace, slice_of, programs)
    plan = RunPlan(
        windows=windows,
        watermark_keys=keys,
        slices=tuple(describe(slice_of, places)),
        zone=source.zone.key,
        only_from_children=len(programs) - len(_named_themselves(listed)),
        with_open_refusals=len(refused),
    )
    write_run_plan(workspace.plan, plan)
    return plan


def _void_ledgers(workspace: Workspace) -> None:
    """Remove what an earlier plan of this run came to: it does not speak of this one."""
    workspace.plan.unlink(missing_ok=True)
    for ledger in workspace.run.glob("*/ledger.parquet"):
        ledger.unlink()


def _listings(route: Route, windows: Mapping[str, Window], zone: ZoneInfo) -> list[Listing]:
    overlap = timedelta(minutes=route.reading.overlap_minutes)
    everything = Listing(
        kind="trackedEntities",
        program="",
        org_units=route.org_units,
        updated_after=None,
        page_size=route.reading.page_size,
    )
    bounds = {program: window.read_from(overlap, zone) for program, window in windows.items()}
    return [
        replace(everything, kind=kind, program=program, updated_after=bounds[program])
        for program in windows
        for kind in KINDS
    ]


def _within(listed: pa.Table, windows: Mapping[str, Window]) -> pa.Table:
    """Leave out what an earlier window has covered; there is no such thing but in a backfill."""
    stamps = zip(listed["program"].to_pylist(), listed["updated_at"].to_pylist(), strict=True)
    return listed.filter(
        pa.array([windows[program].holds(at, at) for program, at in stamps], pa.bool_())
    )


def _programs_of_each(listed: pa.Table) -> dict[str, set[str]]:
    programs: dict[str, set[str]] = {}
    columns = (listed[name].to_pylist() for name in ("tracked_entity", "program", "deleted"))
    for uid, program, deleted in zip(*columns, strict=True):
        alive = programs.setdefault(uid, set())
        if not deleted:
            alive.add(program)
    return programs


def _named_themselves(listed: pa.Table) -> dict[str, str]:
    people = listed.filter(pc.equal(listed["kind"], "trackedEntities"))
    uids, units = people["tracked_entity"].to_pylist(), people["org_unit"].to_pylist()
    return dict(zip(uids, units, strict=True))


def _registered(
    source: Source, listed: pa.Table, refused: set[str], at_once: int
) -> dict[str, str | None]:
    known = _named_themselves(listed)
    unknown = sorted((set(listed["tracked_entity"].to_pylist()) | refused) - known.keys())
    found = registration_org_units(source, unknown, at_once)
    return {**{uid: found.get(uid) for uid in unknown}, **known}


def _write_listing(
    workspace: Workspace, slice_of: Mapping[str, str], programs: Mapping[str, set[str]]
) -> None:
    rows = [
        {
            "kind": "TRACKED_ENTITY",
            "uid": uid,
            "slice": slice_of[uid],
            "programs": sorted(programs.get(uid, ())),
            "listed": uid in programs,
        }
        for uid in sorted(slice_of)
    ]
    with publishing(workspace.listing) as draft:
        pq.write_table(pa.Table.from_pylist(rows, TO_READ), draft, compression="zstd")
