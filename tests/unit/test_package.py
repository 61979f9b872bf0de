"""A staged package is whole and unchanged, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom

import pytest

from builders import PEOPLE, PROGRAM, page, person
from tracker_sync.publish import StagingUnusable, publish
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.package import (
    SCHEMA_VERSION,
    DamagedPackage,
    OtherSchema,
    Staged,
    open_package,
    staged,
    writing_package,
)
from tracker_sync.staging.tables import PERSON_ROW, TABLES, flatten


Damage = Callable[[list[Path], Random], None]


def write(folder: Path, *uids: str) -> Staged:
    with writing_package(folder) as package:
        for uid in uids:
            rows = parse_page(page(person(uid)), PEOPLE, PERSON_ROW, what="test").rows
            package.add(flatten(rows, [PROGRAM]))
        package.notes["zone"] = "UTC"
    return staged(folder)


@pytest.mark.parametrize(
    ("worth_a_group", "uids"),
    [(1, [["person00001"], ["person00002"]]), (4_000_000, [["person00001", "person00002"]])],
)
def test_a_package_gives_back_what_was_put_in_as_soon_as_it_is_worth_a_row_group(
    worth_a_group: int, uids: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker_sync.staging.package._BYTES_A_GROUP", worth_a_group)
    package = open_package(write(tmp_path / "try-1", "person00001", "person00002"))

    groups = [*package.row_groups()]
    assert [g["tracked_entities"]["trackedEntity"].to_pylist() for g in groups] == uids
    assert [g["data_values"].num_rows for g in groups] == [len(each) for each in uids]
    assert package.notes == {"zone": "UTC"}
    assert package.rows("events") == 2


def test_a_package_gives_back_some_tables_and_some_columns_the_others_unread(
    tmp_path: Path,
) -> None:
    package = open_package(write(tmp_path / "try-1", "person00001"))

    (group,) = package.row_groups("notes")
    column = package.columns("tracked_entities", "trackedEntity")

    assert group.keys() == {"notes"}
    assert column.to_pydict() == {"trackedEntity": ["person00001"]}


def test_an_empty_package_is_a_package(tmp_path: Path) -> None:
    package = open_package(write(tmp_path / "try-1"))

    assert [*package.row_groups()] == []
    assert {package.rows(name) for name in TABLES} == {0}


def flip(files: list[Path], random: Random) -> None:
    victim = random.choice(files)
    content = bytearray(victim.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    victim.write_bytes(content)


def truncate(files: list[Path], random: Random) -> None:
    victim = random.choice(files)
    content = victim.read_bytes()
    victim.write_bytes(content[: random.randrange(len(content))])


def swap(files: list[Path], random: Random) -> None:
    one, other = random.sample(files, 2)
    content = one.read_bytes()
    assert content != other.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "times"),
    [(flip, 200), (truncate, 100), (swap, 100)],
    ids=["flipped bits", "truncated files", "swapped files"],
)
def test_damage_anywhere_is_found_out(damage: Damage, times: int, tmp_path: Path) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    random = Random(seed)  # noqa: S311 - damage is no secret
    package = write(tmp_path / "try-1", "person00001", "person00002")
    files = sorted((tmp_path / "try-1").iterdir())
    whole = {path: path.read_bytes() for path in files}
    assert {path.name for path in files} == {
        "manifest.json",
        *(f"{name}.parquet" for name in TABLES),
    }

    for _ in range(times):
        damage(files, random)
        changed = [path.name for path in files if path.read_bytes() != whole[path]]
        with pytest.raises(DamagedPackage, match="clear the slice's `extract`"):
            open_package(package)
        assert changed
        for path, content in whole.items():
            path.write_bytes(content)

    assert open_package(package).rows("tracked_entities") == 2


def test_a_package_of_another_release_is_refused_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path / "try-1", "person00001")
    manifest = tmp_path / "try-1" / "manifest.json"
    content = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps({**content, "schema_version": SCHEMA_VERSION + 1}))

    with pytest.raises(OtherSchema, match=r"another release.*clear the slice's `extract`"):
        open_package(staged(tmp_path / "try-1"))


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
