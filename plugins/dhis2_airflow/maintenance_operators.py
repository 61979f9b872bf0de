"""The upkeep of a route's files as Airflow tasks: each unpacks, delegates and reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Context

from dhis2_airflow.run_operators import RouteOperator
from tracker_sync.staging.retention import describe, remove_old_staging
from tracker_sync.state.compaction import compact


class RemoveOldStagingOperator(RouteOperator):
    """Remove what was staged long ago."""

    def execute(self, context: Context) -> None:
        """Say which runs are gone, and which wait."""
        keep = timedelta(days=self.route.keeping.staging_days)
        self.say(describe(remove_old_staging(self.workspace(context), keep, datetime.now(UTC))))


class CompactStateOperator(RouteOperator):
    """Make one page of the many that a state lies in."""

    def execute(self, context: Context) -> None:
        """Say how many lines of each state of the route stay."""
        for state in sorted(self.workspace(context).state.glob("*/")):
            done = compact(state)
            self.say([f"{state.name}: {done.pages} pages compacted, {done.kept} lines stay"])
