"""The phases after the slices as Airflow tasks, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from airflow.sdk import Context, TriggerRule
from airflow.sdk.exceptions import AirflowSkipException

from dhis2_airflow.run_operators import RouteOperator
from dhis2_airflow.there import destination_of
from dhis2_api.client import Dhis2Client
from tracker_sync.mapping.there import read_model_there
from tracker_sync.route import Route
from tracker_sync.runs.after_slices import PHASES, AfterSlices
from tracker_sync.runs.reject_details import keeping_details
from tracker_sync.runs.report_text import phase_line
from tracker_sync.sending.destination import Destination
from tracker_sync.steps import deletes, notes, owners, relationships, second_pass


_RUN: Mapping[str, Callable[[AfterSlices], dict[str, Any]]] = {
    "deletes": deletes.run,
    "second_pass": second_pass.run,
    "relationships": relationships.run,
    "owners": owners.run,
    "notes": notes.run,
}


def after_slices(route: Route) -> list[RouteOperator]:
    """Return a task for each phase. A slice that failed stops none of them."""
    return [PhaseOperator(task_id=phase, route=route) for phase in PHASES]


class PhaseOperator(RouteOperator):
    """One phase, named by its task id; what it works on is in the run's files."""

    uses: Literal["source", "destination"] | None = "destination"

    def __init__(self, *, task_id: str, route: Route, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.ALL_DONE)
        if task_id == "notes":  # as for `load`, a slot of the pool is a request under way
            kwargs.setdefault("pool_slots", route.batches.in_parallel)
        super().__init__(task_id=task_id, route=route, **kwargs)

    def execute(self, context: Context) -> None:
        """Push the XCom `import_report`."""
        workspace = self.workspace(context)
        if not workspace.plan.is_file():
            raise AirflowSkipException("the run stopped before its slices were planned")
        with self.source() as source, self.destination() as client:
            there = destination_of(context, (source, client), self.route, workspace)
            report = self._run(source, there, context)
        self.say([phase_line(report)])
        context["ti"].xcom_push("import_report", report)

    def _run(
        self, source: Dhis2Client, destination: Destination, context: Context
    ) -> dict[str, Any]:
        workspace, allowed = self.workspace(context), context["params"]["deletes_at_most"]
        model = read_model_there(workspace.model, self.route.mapping)
        after = AfterSlices(source, destination, self.route, workspace, model, allowed)
        after.begin(self.task_id)
        with keeping_details(destination.client, workspace, self.task_id):
            return _RUN[self.task_id](after)
