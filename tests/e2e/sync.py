"""One route between two servers, and what a test does with it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
from airflow.dag_processing.dagbag import DagBag
from airflow.models import dagrun
from airflow.models.asset import AssetModel
from airflow.models.asset_state_store import AssetStateStoreModel
from airflow.models.dagrun import DagRun
from airflow.sdk import DAG
from airflow.sdk.definitions.dag import _run_task
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunType

from dhis2_api.client import Dhis2Client
from project import PROJECT


ROUTE = """
source: from
destination: to
programs: [xsd8pFBm2w1, m8nERzkN6j4, pjYwBlP46Rf, fAw4hObwxfo]
org_units: [GwTj6qZdrlX]
schedule: "0 2 * * *"
slices: {level: 2}
metadata: apply
grant_self: true
baseline: allow
"""
# Several slices, and no more tasks than that takes: each costs Airflow a fifth of a second.


@dataclass(frozen=True)
class Start:
    """How a run is started: by hand, unless a test says otherwise."""

    run_type: DagRunType = DagRunType.MANUAL
    interval: tuple[datetime, datetime] | None = None  # Airflow's own: the last whole one
    dated: bool = True  # a run without a logical date has no interval
    conf: dict[str, Any] | None = None
    marked: str | None = None  # tasks that somebody marks as success instead


BY_HAND = Start()
_sleep = time.sleep


@dataclass(frozen=True)
class Sync:
    name: str
    source: Dhis2Client
    destination: Dhis2Client
    staging: Path
    routes: Path

    @property
    def dag_id(self) -> str:
        return f"tracker_sync__{self.name}"

    def write_route(self, text: str = ROUTE) -> None:
        self.routes.mkdir(exist_ok=True)
        (self.routes / f"{self.name}.yaml").write_text(text)

    def run(self, start: Start = BY_HAND, *, scheduled: bool = False) -> DagRun:
        if scheduled:
            start = replace(start, run_type=DagRunType.SCHEDULED)
        logical_date = start.interval[0] if start.interval else datetime.now(UTC)
        with _started_as(start):
            run: DagRun = self._dag().test(
                logical_date=logical_date if start.dated else None,
                run_conf=start.conf,
                mark_success_pattern=start.marked,
            )
        return run

    def run_again(self, run: DagRun, *tasks: str) -> None:
        """Do what clearing tasks of an old run does, and run them."""
        dag = self._dag()
        known = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        known.clear(run_id=run.run_id, task_ids=tasks, dag_run_state=DagRunState.RUNNING)
        with create_session() as session:
            cleared = session.get(DagRun, run.id)
            assert cleared is not None
            cleared.dag = known
            while cleared.state == DagRunState.RUNNING:
                ready, _ = cleared.update_state(session=session)
                for task in ready:
                    task.try_number += 1
                    task.state = TaskInstanceState.SCHEDULED
                    session.commit()
                    _run_task(ti=task, task=dag.task_dict[task.task_id])
                session.expire_all()

    def _dag(self) -> DAG:
        bag = DagBag(dag_folder=str(PROJECT / "dags"))
        assert bag.import_errors == {}
        return bag.dags[self.dag_id]

    def report(self) -> dict[str, Any]:
        """The newest run's report."""
        files = self.staging.glob(f"{self.name}/runs/*/report.json")
        newest = max(files, key=lambda path: path.stat().st_mtime)
        report: dict[str, Any] = json.loads(newest.read_bytes())
        return report

    def ledger(self) -> pa.Table:
        """The newest run's ledgers, as one table."""
        paths = [*Path(self.report()["staging"]).glob("*/ledger.parquet")]
        assert paths
        return pa.concat_tables([pq.read_table(path) for path in paths])


def stored_watermarks(sync: Sync) -> dict[str, str]:
    """What Airflow keeps of the route's watermarks, by key."""
    with create_session() as session:
        asset = session.query(AssetModel).filter_by(name=sync.dag_id).one()
        kept = session.query(AssetStateStoreModel).filter_by(asset_id=asset.id).all()
        found: dict[str, str] = {}
        for line in kept:
            found |= json.loads(line.value) if isinstance(line.value, str) else line.value
    return found


def states(run: DagRun) -> dict[str, str]:
    """The state of each task; of a mapped one the worst."""
    order = ["success", "skipped", "upstream_failed", "failed"]
    found: dict[str, str] = {}
    for task in run.get_task_instances():
        state = str(task.state)
        found[task.task_id] = max(found.get(task.task_id, state), state, key=order.index)
    return found


def _impatient(seconds: float) -> None:
    """Sleep; but the whole second of Airflow's test runner for tasks that a failure leaves out."""
    _sleep(0.02 if seconds == 1 else seconds)


@contextmanager
def _started_as(start: Start) -> Iterator[None]:
    """Let Airflow's test runner make another run than one by hand, the only one it knows."""
    make = dagrun.get_or_create_dagrun

    def started(**kwargs: Any) -> DagRun:
        run = make(**kwargs | ({"data_interval": start.interval} if start.interval else {}))
        with create_session() as session:
            stored = session.get(DagRun, run.id)
            assert stored is not None
            stored.run_type = start.run_type
        return run

    with (
        patch.object(dagrun, "get_or_create_dagrun", started),
        patch.object(time, "sleep", _impatient),
    ):
        yield
