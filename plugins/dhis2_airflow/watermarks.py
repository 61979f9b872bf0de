"""The watermarks: up to where a route is accounted for, kept by Airflow on an asset.

The destination keeps them too. It is written first: if only one of the two writes happens,
the earlier watermark holds, and something is read twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset, Context

from dhis2_api.client import Dhis2Client
from dhis2_api.system import read_server
from tracker_sync.checkpoint import BothSides, read_checkpoint, write_checkpoint
from tracker_sync.lease_record import Moment
from tracker_sync.route import Route
from tracker_sync.watermark import as_instants, as_texts
from tracker_sync.window import Window


KEY = "watermarks"

_log = logging.getLogger(__name__)


def watermark_asset(route: Route) -> Asset:
    """Return the asset that carries a route's watermarks; its store outlives every run."""
    return Asset(name=f"tracker_sync__{route.name}", uri=f"tracker-sync://{route.name}/watermarks")


def known_watermarks(
    context: Context, route: Route, source: Dhis2Client, destination: Dhis2Client
) -> BothSides:
    """Return the watermarks of a route as both sides keep them.

    One in the future is mended on both sides and for good: left alone, it would hide a night
    that fails. See `BothSides.none_after`.
    """
    sides = _read(context, route, destination)
    server = read_server(source)
    mended = sides.none_after(Moment.of(server).latest)
    if mended != sides:
        _log.warning(
            "a watermark was after the source's now, %s: was its clock set back? One that was "
            "more than minutes ahead is dropped, and what it spoke of is read from the beginning",
            server.now.isoformat(timespec="seconds"),
        )
        _write(context, route, destination, mended)
    return mended


def move_watermarks(
    context: Context, route: Route, destination: Dhis2Client, accounted: Mapping[str, Window]
) -> None:
    """Keep what a run accounted for on both sides, beside the keys it did not speak of."""
    sides = _read(context, route, destination)
    after = sides.moved(accounted)
    if after != sides:
        _write(context, route, destination, after)


def _read(context: Context, route: Route, destination: Dhis2Client) -> BothSides:
    airflow = as_instants(_store(context, route).get(KEY) or {})
    return BothSides(airflow, read_checkpoint(destination, route.name))


def _write(context: Context, route: Route, destination: Dhis2Client, sides: BothSides) -> None:
    write_checkpoint(destination, route.name, sides.destination)
    _store(context, route).set(KEY, as_texts(sides.airflow))


def _store(context: Context, route: Route) -> Any:
    return context["asset_state_store"][watermark_asset(route)]
