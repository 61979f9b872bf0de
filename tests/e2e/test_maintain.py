"""The upkeep of a route's files, as Airflow does it: no server is asked."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun

from dhis2_api.importer import Ref
from e2e.sync import ROUTE, states
from project import PROJECT
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.state.known import Page, followed_among, remember
from tracker_sync.state.pages import pages


PERSON = Ref("TRACKED_ENTITY", "person00001")
NAME = "upkeep"


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A route that keeps staged runs ten days, beside a broken one; two runs and a state."""
    routes, staging = tmp_path / "routes", tmp_path / "staging"
    routes.mkdir()
    (routes / f"{NAME}.yaml").write_text(f"{ROUTE}\nkeeping:\n  staging_days: 10\n")
    (routes / "broken.yaml").write_text("source: 7")
    monkeypatch.setenv("TRACKER_SYNC_ROUTES", str(routes))
    monkeypatch.setenv("TRACKER_SYNC_STAGING", str(staging))
    for run, days in (("old", 11), ("young", 9)):
        report = staging / NAME / "runs" / run / "report.json"
        report.parent.mkdir(parents=True)
        report.write_text(json.dumps({"totals": {"missing": 0}}))
        stamp = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        os.utime(report, (stamp, stamp))
        os.utime(report.parent, (stamp, stamp))
    for run in ("old", "young"):
        entry = Entry(PERSON, PERSON.uid, Outcome.STORED, content_hash="h")
        page = Page(staging / NAME / "state" / "pair", run, "rufisque", 1, datetime.now(UTC))
        remember(page, [entry], "m1")
    return staging


def maintain() -> DagRun:
    bag = DagBag(dag_folder=str(PROJECT / "dags"))
    assert bag.import_errors == {}
    assert f"tracker_sync__{NAME}" in bag.dags
    assert [name for name in bag.dags if "maintain" in name] == [f"tracker_maintain__{NAME}"]
    run: DagRun = bag.dags[f"tracker_maintain__{NAME}"].test()
    return run


def test_old_runs_go_and_the_state_becomes_one_page(
    staging: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = maintain()

    assert states(run) == {"remove_old_staging": "success", "compact_state": "success"}
    assert [path.name for path in (staging / NAME / "runs").iterdir()] == ["young"]
    state = staging / NAME / "state" / "pair"
    assert len(pages(state)) == 1
    assert followed_among(state, PERSON.kind, [PERSON.uid]) == {PERSON.uid}
    said = capsys.readouterr().out
    assert "1 old runs removed: old" in said
    assert "pair: 2 pages compacted, 2 lines stay" in said


def test_a_damaged_state_is_red_at_once_and_named(
    staging: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (victim, _) = sorted(pages(staging / NAME / "state" / "pair"))
    victim.write_bytes(b"")

    run = maintain()

    assert states(run) == {"remove_old_staging": "success", "compact_state": "failed"}
    assert f"{victim.name} cannot be read" in caplog.text
    assert "move its folder away" in caplog.text
