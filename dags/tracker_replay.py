"""
# Tracker replay

Sends again what a route was refused, once somebody has mended what stood in the way: read
afresh at the source, loaded like any run. One DAG for each route file; it runs by hand only.

| You name | Sent again |
| --- | --- |
| nothing | everything that is refused |
| `codes` | what is refused with one of these codes |
| `uids` | these objects, refused or not, each with the person it belongs to |
| both | those of the objects that are refused with one of the codes |

Its tasks are those of `tracker_sync`, but for `plan_replay`, which lists no changes, and
`settle`, which moves no watermark. **A red run** says what is refused still.

**Renvoie ce qui a été refusé**, une fois la cause corrigée : tout, par code ou par UID, relu à
la source. Une exécution rouge dit ce qui est encore refusé.
"""

from __future__ import annotations

from airflow.sdk import DAG, TriggerRule

from dhis2_airflow import replay_operators as replay
from dhis2_airflow import settings
from dhis2_airflow.run_graph import run_graph
from dhis2_airflow.run_operators import REPLAY
from tracker_sync.route import Route
from tracker_sync.routes import load_routes, routes_folder


def replay_dag(route: Route) -> None:
    """Build the DAG that sends again what a route was refused."""
    with DAG(f"{REPLAY}{route.name}", doc_md=__doc__, schedule=None, **settings.REPLAY_SETTINGS):
        run_graph(
            route,
            replay.PlanReplayOperator(task_id="plan_replay", route=route),
            replay.SettleReplayOperator(
                task_id="settle", route=route, trigger_rule=TriggerRule.ALL_DONE
            ),
        )


for found in load_routes(routes_folder()):
    if isinstance(found, Route):  # `tracker_sync` says of the others what is wrong
        replay_dag(found)
