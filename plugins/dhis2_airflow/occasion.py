"""The occasion: why Airflow runs a route now, in the library's words."""

from __future__ import annotations

from airflow.sdk import Context

from dhis2_airflow.watermarks import read_watermarks
from tracker_sync.route import Route
from tracker_sync.window import Occasion, RunType


# Everything that is neither the schedule nor a backfill was asked for by somebody.
_RUN_TYPES: dict[str, RunType] = {"scheduled": "scheduled", "backfill": "backfill"}


def occasion_of(context: Context, route: Route) -> Occasion:
    """Return why a run happens, with its data interval and the route's watermarks.

    A run by API or UI may have no interval at all (airflow 4); it needs none.
    """
    run = context["dag_run"]
    return Occasion(
        _RUN_TYPES.get(run.run_type, "manual"),
        run.data_interval_start,
        run.data_interval_end,
        read_watermarks(context, route),
    )
