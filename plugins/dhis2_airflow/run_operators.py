"""The steps of a whole run as Airflow tasks: each unpacks, delegates and reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal

from airflow.sdk import BaseOperator, Context

from dhis2_airflow.dry_runs import is_dry_run
from dhis2_airflow.hook import Dhis2Hook
from dhis2_airflow.occasion import asked_of, occasion_of
from dhis2_airflow.watermarks import move_watermarks, standing_of
from dhis2_api.client import Dhis2Client
from tracker_sync import preflight, readiness
from tracker_sync.findings import require_none_blocking
from tracker_sync.leases.lease import given_back_after, held
from tracker_sync.metadata import synchronisation
from tracker_sync.metadata.model import Model
from tracker_sync.publish import publish
from tracker_sync.route import Route, only_looking
from tracker_sync.routes import InvalidRoute
from tracker_sync.runs.report_text import report_lines
from tracker_sync.runs.window_text import window_lines
from tracker_sync.servers import note_servers
from tracker_sync.steps.plan_slices import plan_slices
from tracker_sync.steps.settle import Settlement, require_clean, settle
from tracker_sync.workspace import Workspace, staging_root


#: What the DAGs that send again are called, before the name of their route.
REPLAY = "tracker_replay__"


class RouteOperator(BaseOperator):
    """One step of a route; knows where its run keeps files and how to reach both servers.

    :param route: The route.
    """

    # The server whose pool the step takes a place in; a pool is called like its connection.
    uses: Literal["source", "destination"] | None = None

    def __init__(self, *, route: Route, **kwargs: Any) -> None:
        if self.uses:
            kwargs.setdefault("pool", getattr(route, self.uses))
        super().__init__(**kwargs)
        self.route = route

    def workspace(self, context: Context) -> Workspace:
        """Return the files of the run, apart from those of another DAG's run of that name."""
        run_id = context["run_id"]
        if self.dag_id.startswith(REPLAY):
            run_id = f"replay__{run_id}"
        return Workspace(staging_root(), self.route.name, run_id)

    def source(self) -> Dhis2Client:
        """Return a client for the server that is read."""
        return Dhis2Hook(self.route.source).client()

    def destination(self) -> Dhis2Client:
        """Return a client for the server that is written to."""
        return Dhis2Hook(self.route.destination).client()

    def say(self, lines: Iterable[str]) -> None:
        """Write lines into the task's log."""
        for line in lines:
            self.log.info("%s", line)


class PreflightOperator(RouteOperator):
    """Look at both servers, and write nothing."""

    def execute(self, context: Context) -> None:
        """Fail if the route may not run between these servers, or was asked for the unclear."""
        asked_of(context, self.route)
        with self.source() as source, self.destination() as destination:
            seen = preflight.preflight(source, destination, self.route)
            addresses = {"source": source.url, "destination": destination.url}
        self.say(preflight.describe(seen))
        note_servers(self.workspace(context), *seen.identities, addresses)
        require_none_blocking(seen.findings)


class SyncMetadataOperator(RouteOperator):
    """Bring the metadata that the data needs to the destination."""

    uses = "destination"

    def execute(self, context: Context) -> None:
        """Write `model.json` and what differed; fail on what the route does not let us mend."""
        with self.source() as source, self.destination() as destination:
            lease = held(destination, self.route, self.workspace(context))
            route = only_looking(self.route) if is_dry_run(context) else self.route
            result = synchronisation.synchronise(source, destination, route, lease.keep)
        self.say(synchronisation.describe(result))
        publish(self.workspace(context).metadata, result.to_json().encode())
        publish(self.workspace(context).model, result.model.to_json().encode())
        require_none_blocking(result.findings)


class ReadinessOperator(RouteOperator):
    """Look whether both servers would let the data through."""

    def execute(self, context: Context) -> None:
        """Fail if an account, an assignment or a right stands in the way."""
        model = Model.read(self.workspace(context).model)
        with self.source() as source, self.destination() as destination:
            findings = readiness.readiness(source, destination, self.route, model)
        self.say(str(finding) for finding in findings)
        require_none_blocking(findings)


class PlanSlicesOperator(RouteOperator):
    """List once what changed, and divide it into slices."""

    uses = "source"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the slices, which the task group is mapped over."""
        workspace = self.workspace(context)
        with self.source() as source, self.destination() as destination:
            held(destination, self.route, workspace)
            standing = standing_of(context, self.route, source, destination)
            occasion = occasion_of(context, self.route, standing)
            plan = plan_slices(source, self.route, workspace, occasion)
        self.say(window_lines(plan, standing.sides))
        to_read = sum(piece.to_read for piece in plan.slices)
        self.say([f"{to_read} people and events to read, in {len(plan.slices)} slices"])
        return [asdict(piece) for piece in plan.slices]


class SettleOperator(RouteOperator):
    """Sum the run up; the only leaf, so the run is as red as this task."""

    def execute(self, context: Context) -> None:
        """Move the watermark if all is accounted for; fail if anything is missing or new."""
        route, workspace = self.route, self.workspace(context)
        with self.destination() as client, given_back_after(client, route, workspace):
            settlement = settle(route, workspace)
            self.say(report_lines(settlement.report))
            context["ti"].xcom_push("import_report", settlement.summary())
            held(client, route, workspace)
            if not is_dry_run(context):
                self.keep(context, client, settlement)
        require_clean(settlement)

    def keep(self, context: Context, destination: Dhis2Client, settlement: Settlement) -> None:
        """Keep what the run accounted for."""
        move_watermarks(context, self.route, destination, settlement)


class BrokenRouteOperator(BaseOperator):
    """Stands for a route whose file cannot be used.

    :param reason: File, line, key and remedy.
    """

    def __init__(self, *, reason: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reason = reason

    def execute(self, context: Context) -> None:
        """Fail, saying why."""
        raise InvalidRoute(self.reason)
