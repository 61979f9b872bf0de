"""
# Tracker sync

Copies the people of a route's programs, with their enrollments and events, from one
DHIS2 to another: whoever changed since the last run. One DAG for each route file.

| Task | Does | Run again, it |
| --- | --- | --- |
| `preflight` | looks at both servers and both accounts; writes nothing | looks again |
| `lease` | waits until no other run writes to the destination | takes it again |
| `sync_metadata` | brings the programs' metadata to the destination | sends what still differs |
| `readiness` | looks whether the destination would let the data in | looks again |
| `plan_slices` | lists who changed, and divides them by org unit | lists again |
| `slice.extract` | reads a slice's people and stages them as Parquet | stages a new package |
| `slice.transform` | makes import bundles of them | rewrites the same bundles |
| `slice.load` | sends what differs, accounts for each object | sends nothing twice |
| `deletes` … `notes` | what must wait for all slices, in that order | sends what still differs |
| `settle` | sums up, moves the watermark, is red if anything is missing | sums up again |

**A red run** names what to do in the log of its red task; `settle` has the whole report.
The next run repairs what this one missed: the watermark has not moved. A refusal is red
once; then it is known, kept, and tried again when it could succeed.

**Une exécution rouge** dit quoi faire dans le journal de sa tâche rouge ; la suivante
rattrape ce que celle-ci a manqué.
"""

from __future__ import annotations

from airflow.sdk import DAG, TriggerRule

from dhis2_airflow import run_operators as run
from dhis2_airflow import settings
from dhis2_airflow.run_graph import run_graph
from dhis2_airflow.watermarks import watermark_asset
from tracker_sync.route import Route
from tracker_sync.routes import BrokenRoute, load_routes, routes_folder


def sync_dag(route: Route) -> None:
    """Build the DAG of a route."""
    marks = watermark_asset(route)
    dag_id, schedule = f"tracker_sync__{route.name}", settings.schedule_of(route)
    with DAG(dag_id, doc_md=__doc__, schedule=schedule, **settings.RUN_SETTINGS):
        run_graph(
            route,
            run.PlanSlicesOperator(task_id="plan_slices", route=route, inlets=[marks]),
            run.SettleOperator(
                task_id="settle", route=route, outlets=[marks], trigger_rule=TriggerRule.ALL_DONE
            ),
        )


def broken_dag(route: BrokenRoute) -> None:
    """Build the DAG of a route whose file cannot be used: it fails, saying why."""
    dag_id = f"tracker_sync__{route.name}"
    with DAG(dag_id, doc_md=route.reason, schedule=None, **settings.BROKEN_SETTINGS):
        run.BrokenRouteOperator(task_id="read_the_route", reason=route.reason)


for found in load_routes(routes_folder()):
    broken_dag(found) if isinstance(found, BrokenRoute) else sync_dag(found)
