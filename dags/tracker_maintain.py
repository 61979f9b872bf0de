"""
# Tracker maintain

Looks after what a route keeps on disk, on Sundays at noon in the route's zone. It speaks to
no server, and needs no quiet: runs may go on meanwhile. One DAG for each route file.

| Task | Does | Run again, it |
| --- | --- | --- |
| `remove_old_staging` | removes runs older than `keeping.staging_days`, dead drafts | goes on |
| `compact_state` | makes one page of the many that the state lies in | leaves that page alone |

**A red task** names the folder it could not remove, or the page it could not read, and what
to do. Nothing of a night depends on it; but what it does not remove holds patients' values.

**Une tâche rouge** nomme le dossier qu'elle n'a pas pu supprimer, ou la page illisible. Les
exécutions de nuit n'en dépendent pas ; mais ce qui reste contient des données de patients.
"""

from __future__ import annotations

from airflow.sdk import DAG

from dhis2_airflow import maintenance_operators as upkeep
from dhis2_airflow.settings import UPKEEP_SETTINGS, upkeep_of
from tracker_sync.route import Route
from tracker_sync.routes import load_routes, routes_folder


def maintain_dag(route: Route) -> None:
    """Build the DAG that looks after a route's files."""
    dag_id = f"tracker_maintain__{route.name}"
    with DAG(dag_id, doc_md=__doc__, schedule=upkeep_of(route), **UPKEEP_SETTINGS):
        upkeep.RemoveOldStagingOperator(task_id="remove_old_staging", route=route)
        upkeep.CompactStateOperator(task_id="compact_state", route=route)


for found in load_routes(routes_folder()):
    # What is wrong with a broken route its DAG `tracker_sync__ROUTE` says.
    if isinstance(found, Route):
        maintain_dag(found)
