"""A slice's bundles are a function of what was staged, and what can't be sent stops nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from builders import MODEL, NOTE, PEOPLE, PROGRAM, enrollment, event, page, person
from tracker_sync.planning.objects import Tree, trees_of
from tracker_sync.publish import publish, sha256_of
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.package import Staged, open_package, staged, writing_package
from tracker_sync.staging.tables import PERSON_ROW, flatten
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace


SLICE = "clinicRufi1"
AGAIN = "import sys, pathlib; from unit.test_transform import made; made(pathlib.Path(sys.argv[1]))"


def somebody(number: int, **changes: Any) -> Any:
    events = [event(f"event{number:06}", **changes)]
    return person(
        f"person{number:05}", enrollments=[enrollment(f"enroll{number:05}", events=events)]
    )


def made(folder: Path, *groups: list[Any]) -> Staged:
    """Stage people, a row group each list of them, and return their bundles."""
    workspace = Workspace(folder, "demo", "night")
    publish(workspace.model, MODEL.to_json().encode())
    package = workspace.package(SLICE, 1)
    with writing_package(package) as writer:
        for group in groups or ([somebody(1), somebody(2)], [somebody(3)]):
            rows = parse_page(page(*group), PEOPLE, PERSON_ROW, what="test").rows
            writer.add(flatten(rows, [PROGRAM]))
        writer.notes |= {"timings": {}, "read_number": 7}
    return transform(workspace, staged(package)).package


def trees(bundles: Staged) -> list[Tree]:
    groups = open_package(bundles).row_groups()
    found = [tree for group in groups for tree in trees_of(group["bundles"])]
    assert found
    return found


def test_every_person_that_was_staged_is_in_the_bundles(tmp_path: Path) -> None:
    bundles = open_package(made(tmp_path))

    groups = [group["bundles"]["uid"].to_pylist() for group in bundles.row_groups()]
    assert groups == [["person00001", "person00002", "person00003"]]
    assert bundles.notes["read_number"] == 7
    assert "transform" in bundles.notes["timings"]


def test_an_object_that_no_server_can_hold_is_named_and_all_others_are_made(
    tmp_path: Path,
) -> None:
    bad = somebody(2, dataValues=[{"dataElement": NOTE, "value": "a\0b"}])

    found = [item for tree in trees(made(tmp_path, [somebody(1), bad])) for item in tree.objects]

    assert {item.ref.uid: item.code for item in found if item.code} == {
        "event000002": "SYNC_NUL_CHARACTER"
    }
    assert len([item for item in found if item.content]) == 5


def test_the_same_package_becomes_the_same_bytes_whatever_order_python_gives_to_sets(
    tmp_path: Path,
) -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    hashes = set()
    for seed in "019":
        folder = tmp_path / seed
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", AGAIN, str(folder)], env=environment, check=True)
        (bundles,) = folder.rglob("bundles.parquet")
        hashes.add(sha256_of(bundles))

    assert len(hashes) == 1
