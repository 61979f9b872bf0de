"""A dry run looks at everything and leaves nothing behind, as Airflow runs it."""

from __future__ import annotations

from shutil import rmtree
from typing import Any

from airflow.models.dagrun import DagRun

from dhis2_api.data_store import read_value
from e2e.sync import Start, Sync, states, stored_watermarks
from tracker_sync.windows.checkpoint import NAMESPACE
from tracker_sync_demo.edits import edit


DRY = Start(conf={"dry_run": True})


def kept_there(sync: Sync, pair: str) -> dict[str, Any]:
    """Return what the destination keeps for us, but for the lease."""
    keys = (f"watermarks-{sync.name}", f"witness-{sync.name}-{pair}")
    kept = {key: read_value(sync.destination, NAMESPACE, key) for key in keys}
    assert all(kept.values())
    return kept


def test_a_dry_run_moves_no_watermark_though_the_state_was_lost(sync: Sync) -> None:
    sync.run()
    edit(sync.source)
    kept = (sync.staging / sync.name / "state").iterdir()
    (state,) = (path for path in kept if path.is_dir())
    there, here = kept_there(sync, state.name), stored_watermarks(sync)
    assert here
    rmtree(state)

    run: DagRun = sync.run(DRY)

    assert {*states(run).values()} <= {"success", "skipped"}
    assert sync.report()["totals"]["held"] > 0
    assert sync.report()["totals"]["sent"] == 0
    assert (kept_there(sync, state.name), stored_watermarks(sync)) == (there, here)
    assert not [*state.glob("*.parquet")]
