"""What was refused is sent again when somebody asks for it, as Airflow runs it."""

from __future__ import annotations

from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun

from e2e.sync import Sync, states, stored_watermarks
from project import PROJECT
from tracker_sync_demo.edits import edit


def replay(sync: Sync, **conf: Any) -> DagRun:
    bag = DagBag(dag_folder=str(PROJECT / "dags"))
    assert bag.import_errors == {}
    run: DagRun = bag.dags[f"tracker_replay__{sync.name}"].test(run_conf=conf)
    return run


def test_a_replay_sends_what_a_run_leaves_alone_and_moves_no_watermark(sync: Sync) -> None:
    sync.run()
    (refused,) = edit(sync.source).refused
    sync.run()
    sync.run()
    assert sync.report()["totals"]["sent"] == 0
    before = stored_watermarks(sync)

    nothing = replay(sync, codes=["E1018"])
    of_nobody = sync.report()
    again = replay(sync, codes=["E1125"])

    assert nothing.state == "success"
    assert (of_nobody["slices"], of_nobody["totals"]["read"]) == ([], 0)
    assert states(again) == {**dict.fromkeys(states(again), "success"), "settle": "failed"}
    report = sync.report()
    assert report["totals"]["sent"] > 0
    assert report["windows"] == {}
    assert [(item["uid"], item["code"], item["known"]) for item in report["refusals"]] == [
        (refused, "E1125", False)
    ]
    assert stored_watermarks(sync) == before
