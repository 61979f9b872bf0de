"""The watermarks: up to where a route is accounted for, kept by Airflow on an asset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow.sdk import Asset, Context

from tracker_sync.route import Route
from tracker_sync.watermark import as_instants, as_texts, moved
from tracker_sync.window import Window


KEY = "watermarks"


def watermark_asset(route: Route) -> Asset:
    """Return the asset that carries a route's watermarks; its store outlives every run."""
    return Asset(name=f"tracker_sync__{route.name}", uri=f"tracker-sync://{route.name}/watermarks")


def read_watermarks(context: Context, route: Route) -> dict[str, datetime]:
    """Return the watermarks of a route, by key; none before its first clean run."""
    return as_instants(_store(context, route).get(KEY) or {})


def move_watermarks(context: Context, route: Route, accounted: Mapping[str, Window]) -> None:
    """Keep what a run accounted for, beside the keys it did not speak of."""
    marks = read_watermarks(context, route)
    if (after := moved(marks, accounted)) != marks:
        _store(context, route).set(KEY, as_texts(after))


def _store(context: Context, route: Route) -> Any:
    return context["asset_state_store"][watermark_asset(route)]
