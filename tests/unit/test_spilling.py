"""Rows that wait on the disk come back whole, and all of one person together."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_sync.publish import StagingUnusable
from tracker_sync.staging import spilling as module
from tracker_sync.staging.spilling import spilling


ROWS = pa.schema([("uid", pa.string()), ("number", pa.int64())])


def whose(rows: pa.Table) -> pa.ChunkedArray:
    return rows["uid"]


@given(pages=st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=9), max_size=9))
def test_each_row_comes_back_once_and_nobody_is_in_two_parts(
    pages: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = [(uid, number) for number, page in enumerate(pages) for uid in page]
    folder = tmp_path_factory.mktemp("spill")

    with pytest.MonkeyPatch.context() as patch, spilling(folder, ROWS, whose) as spill:
        patch.setattr(module, "ROWS_A_PART", 7)
        for number, page in enumerate(pages):
            spill.add(pa.table([page, [number] * len(page)], schema=ROWS))
        parts = [part.to_pylist() for part in spill.parts()]
        assert [part.to_pylist() for part in spill.parts()] == parts

    came = [[(row["uid"], row["number"]) for row in part] for part in parts]
    assert sorted(row for part in came for row in part) == sorted(written)
    people = [{uid for uid, _ in part} for part in came if part]
    for before, after in pairwise(people):
        assert max(before) < min(after)
    for part in came:  # of each person, what was written first comes first
        for person in {uid for uid, _ in part}:
            numbers = [number for uid, number in part if uid == person]
            assert numbers == sorted(numbers)


def test_a_long_spill_comes_in_several_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_A_PART", 100)
    uids = [f"person{number:05}" for number in range(1_000)]

    with spilling(tmp_path, ROWS, whose) as spill:
        spill.add(pa.table([uids, [*range(1_000)]], schema=ROWS))
        sizes = [part.num_rows for part in spill.parts()]

    assert len(sizes) == 10
    assert max(sizes) < 200
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(StagingUnusable, match="make room"),
        spilling(tmp_path / "file", ROWS, whose),
    ):
        pass
