"""What was staged long ago goes, whole or not at all; what somebody may still need stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracker_sync.publish import StagingUnusable
from tracker_sync.staging.retention import Removed, describe, remove_old_staging
from tracker_sync.workspace import Workspace


NOW = datetime.now(UTC)
MONTH = timedelta(days=30)
NOBODY = 4_194_305  # above the largest number that Linux gives to a process


def touch_all(folder: Path, days: float) -> None:
    stamp = (NOW - timedelta(days=days)).timestamp()
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (stamp, stamp))


def staged(root: Path, name: str, days: float, *, missing: int | None = 0) -> Path:
    """Stage a run that nothing has moved in for some days; `missing=None`: it never settled."""
    run = root / "north" / "runs" / name
    package = run / "rufisque001" / "try-1"
    package.mkdir(parents=True)
    (package / "events.parquet").write_bytes(b"a patient")
    if missing is not None:
        (run / "report.json").write_text(json.dumps({"totals": {"missing": missing}}))
    touch_all(run, days)
    return run


def remove(root: Path) -> Removed:
    return remove_old_staging(Workspace(root, "north", "maintain"), MONTH, NOW)


def test_runs_of_long_ago_go_and_younger_ones_stay(tmp_path: Path) -> None:
    old, young = staged(tmp_path, "old", 31), staged(tmp_path, "young", 29)
    page = tmp_path / "north" / "state" / "pair" / "page.parquet"
    page.parent.mkdir(parents=True)
    page.write_bytes(b"state")
    touch_all(tmp_path / "north" / "state", 1_000)

    removed = remove(tmp_path)

    assert removed == Removed(("old",), (), 0)
    assert not old.exists()
    assert [path.name for path in young.rglob("*.parquet")] == ["events.parquet"]
    assert page.exists()
    assert sorted(path.name for path in (tmp_path / "north").iterdir()) == ["runs", "state"]
    assert "old" in describe(removed)[0]


@pytest.mark.parametrize("missing", [None, 3], ids=["no report", "something missing"])
def test_a_run_that_is_not_settled_stays_twice_as_long(tmp_path: Path, missing: int | None) -> None:
    waiting = staged(tmp_path, "waiting", 59, missing=missing)
    given_up = staged(tmp_path, "given up", 61, missing=missing)

    removed = remove(tmp_path)

    assert removed == Removed(("given up",), ("waiting",), 0)
    assert waiting.exists()
    assert not given_up.exists()
    assert "waiting" in describe(removed)[-1]


def test_a_run_whose_report_cannot_be_read_counts_as_not_settled(tmp_path: Path) -> None:
    run = staged(tmp_path, "damaged", 31)
    (run / "report.json").write_text("{")
    touch_all(run, 31)

    assert remove(tmp_path).unsettled == ("damaged",)


def test_an_old_run_that_is_loaded_again_now_stays(tmp_path: Path) -> None:
    run = staged(tmp_path, "cleared", 100)
    ledger = run / "rufisque001" / "ledger.parquet"
    ledger.write_bytes(b"")
    touch_all(run, 100)

    ledger.unlink()  # what a load does first

    assert remove(tmp_path).runs == ()
    assert run.exists()


def test_drafts_of_dead_processes_go_after_a_day(tmp_path: Path) -> None:
    run = staged(tmp_path, "young", 2)
    names = {
        "dead": f".a.parquet.{NOBODY}.draft",
        "running": f".a.parquet.{os.getpid()}.draft",
        "somebody else's": ".a.parquet.1.draft",
        "of a person": ".notes.draft",
    }
    for name in names.values():
        (run / name).write_bytes(b"")
    touch_all(run, 2)
    fresh = run / f".b.parquet.{NOBODY}.draft"
    fresh.write_bytes(b"")

    removed = remove(tmp_path)

    assert removed.drafts == 1
    assert not (run / names.pop("dead")).exists()
    assert all((run / name).exists() for name in names.values())
    assert fresh.exists()


def test_a_route_that_never_ran_has_nothing_to_remove(tmp_path: Path) -> None:
    assert remove(tmp_path) == Removed((), (), 0)
    assert [*tmp_path.iterdir()] == []


def test_a_link_to_somewhere_else_is_left_alone(tmp_path: Path) -> None:
    elsewhere = staged(tmp_path / "elsewhere", "old", 100)
    (tmp_path / "north" / "runs").mkdir(parents=True)
    (tmp_path / "north" / "runs" / "link").symlink_to(elsewhere)

    assert remove(tmp_path).runs == ()
    assert elsewhere.exists()


def test_what_cannot_be_removed_is_said_and_stays(tmp_path: Path) -> None:
    run = staged(tmp_path, "old", 31)
    (tmp_path / "north" / "removed").write_bytes(b"no folder")

    with pytest.raises(StagingUnusable, match=r"old cannot be removed .*right to remove it"):
        remove(tmp_path)

    assert run.exists()


KILLED_AT = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tracker_sync.staging.retention import remove_old_staging
from tracker_sync.workspace import Workspace

def kill(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

left = int(sys.argv[2])
workspace = Workspace(Path(sys.argv[1]), "north", "maintain")
sys.addaudithook(kill)
remove_old_staging(workspace, timedelta(days=30), datetime.now(UTC))
"""


def test_a_removal_that_is_killed_leaves_no_half_run_and_is_ended_by_the_next(
    tmp_path: Path,
) -> None:
    ends = []
    for moment in range(30):
        root = tmp_path / str(moment)
        staged(root, "first", 31)
        staged(root, "second", 31)
        young = staged(root, "young", 1)

        ends.append(remove_and_die(root, moment))

        for run in (root / "north" / "runs").iterdir():
            files = sorted(path.name for path in run.rglob("*") if path.is_file())
            assert files == ["events.parquet", "report.json"], moment
        remove(root)
        assert [path.name for path in (root / "north").iterdir()] == ["runs"]
        assert [*(root / "north" / "runs").iterdir()] == [young]
        if ends[-1] == 0:
            break

    assert ends[-1] == 0
    assert ends[:-1] == [-signal.SIGKILL] * len(ends[:-1])
    assert len(ends) > 6


def remove_and_die(root: Path, moment: int) -> int:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-c", KILLED_AT, str(root), str(moment)]
    return subprocess.run(command, env={"PYTHONPATH": path}, check=False).returncode
