"""No two reads have one number, and a later read has a higher one, whatever was lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.state.known import Page, remember
from tracker_sync.state.read_number import never_below, next_read_number


STORED = Entry(Ref("EVENT", "event000001"), None, Outcome.STORED, content_hash="h")


@pytest.fixture
def reads(tmp_path: Path) -> Path:
    return tmp_path / "reads"


TAKE_SOME = """
import sys
from pathlib import Path
from tracker_sync.state.read_number import next_read_number

for _ in range(150):
    print(next_read_number(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def test_processes_that_take_numbers_at_once_get_different_rising_ones(
    reads: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", TAKE_SOME, str(reads), str(tmp_path / "state")]
    path = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}

    processes = [subprocess.Popen(command, env=path, stdout=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate()[0] for process in processes]
    taken = [[int(line) for line in lines.split()] for lines in said]

    numbers = [number for each in taken for number in each]
    assert len(set(numbers)) == len(numbers) == 600
    assert all(each == sorted(each) for each in taken)
    assert next_read_number(reads, tmp_path / "state") > max(numbers)


def test_only_the_newest_numbers_are_kept(reads: Path, tmp_path: Path) -> None:
    last = [next_read_number(reads, tmp_path / "state") for _ in range(250)][-1]

    assert last == 250
    assert len([*reads.iterdir()]) <= 101


def test_a_folder_that_was_lost_begins_above_all_that_the_state_knows(
    reads: Path, tmp_path: Path
) -> None:
    for _ in range(5):
        number = next_read_number(reads, tmp_path / "state")
    page = Page(tmp_path / "state", "r1", "slice", number, datetime.now(UTC))
    remember(page, [STORED], "m1")
    shutil.rmtree(reads)

    assert next_read_number(reads, tmp_path / "state") == 6


def test_a_package_that_is_loaded_lets_all_further_numbers_be_above_its_own(
    reads: Path, tmp_path: Path
) -> None:
    for number in (41, 7):
        never_below(reads, number)

    assert next_read_number(reads, tmp_path / "state") == 42
