"""The watermarks: up to where a route is accounted for, kept by Airflow on an asset.

The destination keeps them too. It is written first: if only one of the two writes happens,
the earlier watermark holds, and something is read twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, Context

from dhis2_airflow.dry_runs import is_dry_run
from dhis2_api.client import Dhis2Client
from dhis2_api.system import Server, read_server
from tracker_sync.leases.record import Moment
from tracker_sync.route import Route
from tracker_sync.servers import state_folder
from tracker_sync.steps.settle import Settlement
from tracker_sync.windows.checkpoint import BothSides, read_checkpoint, write_checkpoint
from tracker_sync.windows.clocks import TOLERATED, Clocks
from tracker_sync.windows.watermark import NoWatermarks, as_instants, as_texts
from tracker_sync.windows.witness import Witness, new_token, read_witness, write_witness
from tracker_sync.workspace import Workspace, staging_root


KEY = "watermarks"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a route came, when a run of it is planned.

    Attributes:
        sides: The watermarks as both sides keep them.
        clocks: Both servers' clocks.
        drawn_back: By how much earlier every read begins, because the source's clock fell.
    """

    sides: BothSides
    clocks: Clocks
    drawn_back: timedelta


def watermark_asset(route: Route) -> Asset:
    """Return the asset that carries a route's watermarks; its store outlives every run."""
    return Asset(name=f"tracker_sync__{route.name}", uri=f"tracker-sync://{route.name}/watermarks")


def standing_of(
    context: Context, route: Route, source: Dhis2Client, destination: Dhis2Client
) -> Standing:
    """Return how far a route came.

    A watermark in the future, and all of them where the state does not remember what they have
    passed, are dropped on both sides and for good: left alone, they would hide a night that
    fails. See `BothSides.none_after` and `witness`. A dry run only reckons without them.
    """
    workspace = _workspace(context, route)
    sides, witness = _read(context, route, destination), read_witness(destination, workspace)
    server = read_server(source)
    clocks = Clocks(server.now, read_server(destination).now)
    mended = _none_after(sides, server)
    fits = witness.fits(state_folder(workspace))
    if not fits:
        _log.warning(_FORGOTTEN)
        mended = BothSides({}, {})
    looks = is_dry_run(context)
    if mended != sides and not looks:
        _write(context, route, destination, mended)
    if not fits and not looks:
        write_witness(destination, workspace, Witness(new_token(state_folder(workspace))))
    return Standing(mended, clocks, _fallen(witness, clocks))


_FORGOTTEN = (
    "the state here does not remember what the last run did: was it lost, or restored from an "
    "older copy? Which refusals were open is not known, so everything is read from the beginning"
)


def _none_after(sides: BothSides, server: Server) -> BothSides:
    mended = sides.none_after(Moment.of(server).latest)
    if mended != sides:
        _log.warning(
            "a watermark was after the source's now, %s: was its clock set back? One that was "
            "more than minutes ahead is dropped, and what it spoke of is read from the beginning",
            server.now.isoformat(timespec="seconds"),
        )
    return mended


def _fallen(witness: Witness, clocks: Clocks) -> timedelta:
    fallen = _fall(witness, clocks)
    if fallen > TOLERATED:
        _log.warning(
            "since the last run the source's clock has fallen behind the destination's by %s: "
            "every read begins earlier by that, so that nothing is lost",
            timedelta(seconds=round(fallen.total_seconds())),
        )
    return fallen


def _fall(witness: Witness, now: Clocks | None) -> timedelta:
    return witness.clocks.fallen_until(now) if witness.clocks and now else timedelta(0)


def move_watermarks(
    context: Context, route: Route, destination: Dhis2Client, settlement: Settlement
) -> None:
    """Keep what a run accounted for on both sides, beside the keys it did not speak of.

    The clocks go with the watermarks that moved, and after them: in between, a fall of the
    source's clock is counted twice, never not at all.
    """
    workspace = _workspace(context, route)
    sides, witness = _read(context, route, destination), read_witness(destination, workspace)
    after, clocks = sides.moved(settlement.accounted), witness.clocks
    if after != sides:
        fallen = _fall(witness, settlement.clocks)
        after = after.drawn_back(fallen, sides) if fallen > TOLERATED else after
        clocks = settlement.clocks
        _write(context, route, destination, after)
    state = state_folder(workspace)
    if witness.fits(state):  # if it was lost since the plan, the next run finds out
        write_witness(destination, workspace, Witness(new_token(state), clocks))


def _workspace(context: Context, route: Route) -> Workspace:
    return Workspace(staging_root(), route.name, context["run_id"])


def _read(context: Context, route: Route, destination: Dhis2Client) -> BothSides:
    try:
        airflow = as_instants(_store(context, route).get(KEY) or {})
    except ValueError as error:
        raise NoWatermarks.of(f"Airflow's asset `{watermark_asset(route).name}`", error) from None
    return BothSides(airflow, read_checkpoint(destination, route.name))


def _write(context: Context, route: Route, destination: Dhis2Client, sides: BothSides) -> None:
    write_checkpoint(destination, route.name, sides.destination)
    _store(context, route).set(KEY, as_texts(sides.airflow))


def _store(context: Context, route: Route) -> Any:
    return context["asset_state_store"][watermark_asset(route)]
