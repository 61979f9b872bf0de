"""The settings: when runs happen, how often tasks are tried, how slices are labelled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, CronTriggerTimetable

from dhis2_airflow.failures import say_what_to_do
from dhis2_airflow.occasion import ASKED
from dhis2_airflow.replay_operators import ASKED_AGAIN
from dhis2_airflow.retries import DHIS2_RETRIES
from tracker_sync.route import Route


RUN_SETTINGS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,  # two runs would race for one watermark
    "tags": ["tracker-sync"],
    "params": ASKED,
    "default_args": {
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=30),
        "retry_policy": DHIS2_RETRIES,
        "execution_timeout": timedelta(hours=6),
        "on_failure_callback": say_what_to_do,
        "on_retry_callback": say_what_to_do,
    },
}

# A replay reads no window: who is read is named.
_SPAN = ("from", "to")
REPLAY_SETTINGS: dict[str, Any] = {
    **RUN_SETTINGS,
    "params": {
        **ASKED_AGAIN,
        **{name: param for name, param in ASKED.items() if name not in _SPAN},
    },
}

# Upkeep asks nothing of whoever triggers it, and reads no window.
UPKEEP_SETTINGS: dict[str, Any] = {
    key: value for key, value in RUN_SETTINGS.items() if key != "params"
}

# A route that cannot be read has nothing to retry.
BROKEN_SETTINGS: dict[str, Any] = {
    "tags": ["tracker-sync"],
    "default_args": {"on_failure_callback": say_what_to_do},
}

# A run that waits takes no worker's place; one that waits in vain for a day needs a person.
LEASE_SETTINGS: dict[str, Any] = {
    "mode": "reschedule",
    "poke_interval": timedelta(minutes=1),
    "timeout": timedelta(hours=24),
}

# The label is the org unit's name, so that the grid reads as a map. The operators' weights count
# as given, and staged patients do not pile up.
SLICE_SETTINGS: dict[str, Any] = {
    "map_index_template": "{{ task.piece['name'] }}",
    "weight_rule": "absolute",
}


def schedule_of(route: Route) -> CronDataIntervalTimetable | None:
    """Return when a route runs.

    This timetable gives a run the interval it covers; a plain cron text would give
    it none (airflow 4).
    """
    if route.schedule is None:
        return None
    return CronDataIntervalTimetable(route.schedule, timezone=route.timezone)


def upkeep_of(route: Route) -> CronTriggerTimetable:
    """Return when a route's files are looked after: on Sundays at noon, far from the nights."""
    return CronTriggerTimetable("0 12 * * 0", timezone=route.timezone)
