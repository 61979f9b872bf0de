"""Does the bench still run, and does it fail where a bar is missed?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from project import PROJECT
from tracker_sync_bench.cases import CASES, ON_DEMAND
from tracker_sync_bench.table import Row, rendered


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Python compiles, shared by the processes of all cases."""
    return tmp_path_factory.mktemp("compiled")


@pytest.mark.parametrize("case", [*CASES, *ON_DEMAND])
def test_a_case_prints_its_table_and_ends_as_its_bars_say(case: str, compiled: Path) -> None:
    path = f"{PROJECT / 'include'}:{PROJECT / 'bench'}"
    environment = os.environ | {"PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(compiled)}
    command = [sys.executable, "-P", "-m", "tracker_sync_bench", "--tiny", case]

    done = subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True, timeout=120
    )

    lines = done.stdout.splitlines()
    numbers = [re.search(r"  +[\d,.]+(e[+-]\d+)?  ", line) for line in lines[2:]]
    assert numbers, done.stderr
    assert all(numbers), done.stdout
    # What so few people take says nothing, so either end will do, if it is the table's.
    assert done.returncode == int("FAIL" in done.stdout), done.stderr


def test_a_bar_is_missed_on_its_own_side_only() -> None:
    fast, slow = (Row("people a second", rate, 800, least=3_500) for rate in (3_500, 3_499))
    small, big = (Row("peak MB", peak, most=600) for peak in (600, 601))
    told = Row("CPU seconds", 1e9)

    table = rendered([fast, slow, small, big, told])

    verdicts = [line.split()[-1] for line in table.splitlines()[2:6]]
    assert verdicts == ["ok", "FAIL", "ok", "FAIL"]
    assert [row.passed for row in (fast, slow, small, big, told)] == [True, False] * 2 + [True]
