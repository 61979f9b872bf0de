"""The graph: the tasks of a run in their order, whatever plans it and whatever settles it."""

from __future__ import annotations

from typing import Any

from airflow.sdk import chain, task_group

from dhis2_airflow import run_operators as run
from dhis2_airflow import settings
from dhis2_airflow import slice_operators as steps
from dhis2_airflow.after_operators import after_slices
from dhis2_airflow.lease_sensor import LeaseSensor
from tracker_sync.route import Route


def run_graph(route: Route, plan: run.RouteOperator, settle: run.SettleOperator) -> None:
    """Chain the tasks of a run.

    Args:
        route: The route.
        plan: Divides the run into slices.
        settle: Sums it up.
    """

    @task_group(group_id="slice", default_args=settings.SLICE_SETTINGS)
    def slices(piece: dict[str, str]) -> None:
        here: dict[str, Any] = {"route": route, "piece": piece}
        staged = steps.ExtractOperator(task_id="extract", **here).output
        bundles = steps.TransformOperator(task_id="transform", staged=staged, **here).output
        steps.LoadOperator(task_id="load", staged=bundles, **here)

    chain(
        run.PreflightOperator(task_id="preflight", route=route),
        LeaseSensor(task_id="lease", route=route, **settings.LEASE_SETTINGS),
        run.SyncMetadataOperator(task_id="sync_metadata", route=route),
        run.ReadinessOperator(task_id="readiness", route=route),
        plan,
        slices.expand(piece=plan.output),
        *after_slices(route),
        settle,
    )
