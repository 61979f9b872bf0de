"""A file of a run that was damaged is found out before anything is made of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tracker_sync.staging.sealed import BrokenSeal, check_seal, seal, write_sealed


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    path = tmp_path / "run-1" / "listing.parquet"
    write_sealed(path, pa.table({"uid": [f"person{number:05}" for number in range(1_000)]}))
    return path


def test_what_was_written_is_whole(listing: Path) -> None:
    check_seal(listing, "plan again")

    assert pq.read_table(listing).num_rows == 1_000


def test_every_flipped_bit_is_found_out(listing: Path) -> None:
    whole = listing.read_bytes()
    assert len(whole) > 300

    for place in range(0, len(whole), len(whole) // 300):
        listing.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :]
        )
        with pytest.raises(BrokenSeal, match=r"listing.parquet of run-1 .* plan again"):
            check_seal(listing, "plan again")


@pytest.mark.parametrize("lost", ["the file", "the seal"])
def test_a_file_without_its_seal_is_as_good_as_none(listing: Path, lost: str) -> None:
    (listing if lost == "the file" else seal(listing)).unlink()

    with pytest.raises(BrokenSeal):
        check_seal(listing, "plan again")
