"""A route that imports by the server's queue, several requests at once, as Airflow runs it."""

from __future__ import annotations

import pytest
from airflow.models.dagrun import DagRun

from dhis2_airflow.there import TaskShelf
from e2e.sync import ROUTE, Sync, states
from servers import HIV
from tracker_sync_demo.compare import compare


FEW = ROUTE.replace("[xsd8pFBm2w1, m8nERzkN6j4, pjYwBlP46Rf, fAw4hObwxfo]", f"[{HIV}]")
QUEUED = f"{FEW}import: async\nbatches: {{in_parallel: 2}}\n"


def test_a_run_by_the_queue_brings_everything_and_a_second_one_sends_nothing(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.write_route(QUEUED)
    kept: list[list[str]] = []
    write = TaskShelf.write

    def noted(shelf: TaskShelf, jobs: list[str]) -> None:
        write(shelf, jobs)
        kept.append(shelf.read())

    monkeypatch.setattr(TaskShelf, "write", noted)

    first = sync.run()
    begun = {job for jobs in kept for job in jobs}
    created = sync.report()["totals"]["created"]
    second = sync.run()

    assert {*states(first).values(), *states(second).values()} <= {"success", "skipped"}
    assert created > 100
    assert begun
    assert {len(job) for job in begun} == {11}
    assert kept[-1] == []
    assert slots(first) == {"slice.load": 2, "notes": 2}
    assert sync.report()["totals"]["sent"] == 0
    assert {job for jobs in kept for job in jobs} == begun
    assert compare(sync.source, sync.destination, [HIV]).differing == frozenset()


def slots(run: DagRun) -> dict[str, int]:
    """Return the tasks that take more than one place in their pool, and how many."""
    tasks = run.get_task_instances()
    assert {task.pool for task in tasks} >= {"from", "to"}
    return {task.task_id: task.pool_slots for task in tasks if task.pool_slots > 1}
