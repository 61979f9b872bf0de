"""The destination of a task: the server it writes to, and what Airflow adds to that."""

from __future__ import annotations

from airflow.sdk import Context

from dhis2_airflow.dry_runs import is_dry_run
from dhis2_api.client import Dhis2Client
from tracker_sync.leases.lease import held
from tracker_sync.mapping.there import route_there
from tracker_sync.route import Route
from tracker_sync.sending.destination import Destination
from tracker_sync.sending.jobs import Jobs
from tracker_sync.sending.posting import Posting
from tracker_sync.workspace import Workspace


KEY = "import_jobs"


class TaskShelf:
    """Import jobs that are under way, where a retry of the task finds them.

    :param context: Of the task.
    """

    def __init__(self, context: Context) -> None:
        self._store = context["task_state_store"]

    def read(self) -> list[str]:
        """Return the UIDs that were written last."""
        kept = self._store.get(KEY, [])
        return [str(job) for job in kept] if isinstance(kept, list) else []

    def write(self, jobs: list[str]) -> None:
        """Keep *jobs* instead."""
        self._store.set(KEY, list(jobs))


def destination_of(
    context: Context,
    servers: tuple[Dhis2Client, Dhis2Client],
    route: Route,
    workspace: Workspace,
) -> Destination:
    """Return the destination of a task, with the lease held.

    :param context: Of the task.
    :param servers: The source and the destination.
    :param route: The route.
    :param workspace: The files of the run.

    Raises:
        HeldByAnother: Another run holds it.
    """
    source, client = servers
    lease = held(client, route, workspace)
    jobs = Jobs(TaskShelf(context)) if route.import_ == "async" else None
    return Destination(
        client,
        route_there(route).programs,
        before_write=lease.keep,
        source=source,
        dry_run=is_dry_run(context),
        edits=route.destination_edits,
        posting=Posting(jobs=jobs),
    )
