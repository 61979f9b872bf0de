"""A staged package is whole and unchanged, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import PEOPLE, PROGRAM, page, person
from tracker_sync.arrow_json import parse_page
from tracker_sync.package import DamagedPackage, Staged, open_package, staged, writing_package
from tracker_sync.publish import StagingUnusable, publish
from tracker_sync.tables import PERSON_ROW, TABLES, flatten


def write(folder: Path, *uids: str) -> Staged:
    with writing_package(folder) as package:
        for uid in uids:
            rows = parse_page(page(person(uid)), PEOPLE, PERSON_ROW, what="test").rows
            package.add(flatten(rows, [PROGRAM]))
        package.notes["zone"] = "UTC"
    return staged(folder)


def test_a_package_gives_back_what_was_put_in_group_by_group(tmp_path: Path) -> None:
    package = open_package(write(tmp_path / "try-1", "person00001", "person00002"))

    groups = [*package.row_groups()]
    assert [g["tracked_entities"]["trackedEntity"].to_pylist() for g in groups] == [
        ["person00001"],
        ["person00002"],
    ]
    assert [g["data_values"].num_rows for g in groups] == [1, 1]
    assert package.notes == {"zone": "UTC"}
    assert package.rows("events") == 2


def test_an_empty_package_is_a_package(tmp_path: Path) -> None:
    package = open_package(write(tmp_path / "try-1"))

    assert [*package.row_groups()] == []
    assert {package.rows(name) for name in TABLES} == {0}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_anywhere_is_found_out(tmp_path: Path, data: st.DataObject) -> None:
    package = write(tmp_path / "try-1", "person00001")
    victim = data.draw(st.sampled_from(sorted((tmp_path / "try-1").iterdir())))
    content = bytearray(victim.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    victim.write_bytes(content)

    with pytest.raises(DamagedPackage, match="clear the slice's `extract`"):
        open_package(package)


def test_a_file_that_went_away_is_found_out(tmp_path: Path) -> None:
    package = write(tmp_path / "try-1", "person00001")
    (tmp_path / "try-1" / "events.parquet").unlink()

    with pytest.raises(DamagedPackage):
        open_package(package)


def test_whoever_dies_while_writing_leaves_no_package(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), writing_package(tmp_path / "try-1"):
        raise RuntimeError

    assert [*(tmp_path / "try-1").iterdir()] == []


def test_what_is_staged_is_for_its_owner_alone(tmp_path: Path) -> None:
    write(tmp_path / "a" / "try-1", "person00001")

    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "a").rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_staging_folder_that_cannot_be_written_is_named_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StagingUnusable, match="TRACKER_SYNC_STAGING"):
        publish(tmp_path / "file" / "below.json", b"{}")
