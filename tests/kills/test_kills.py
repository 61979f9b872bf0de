"""Whoever is killed anywhere while extracting leaves no half package, and the next try is whole."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builders import TYPE, enrollment, event, person
from dhis2_api.client import Dhis2Client
from kills.jobs import ended
from kills.nursery import Job
from planned import SLICE, planned
from scripted_server import Reply, Request, as_json, of_version, scripted
from servers import HIV, route
from tracker_sync.route import Reading
from tracker_sync.staging.package import MANIFEST, Package, open_package, staged
from tracker_sync.staging.tables import TABLES
from tracker_sync.steps.extract import extract
from tracker_sync.workspace import Workspace


UIDS = [f"person{number:05}" for number in range(6)]
ROUTE = route(programs=(HIV,), reading=Reading(at_once=2, in_parallel=2))
FIRST, LAST = "first", "last"
TABLE = "tracked_entities.parquet draft"
LINKS = "relationships.parquet draft"

# Every boundary between the step and what outlives it, in the order it comes to them;
# where it comes to one more often, the first or the last time.
BOUNDARIES = [
    ("open servers.json", FIRST),
    ("mkdir reads", FIRST),
    ("open 0000000001", FIRST),
    ("remove ledger.parquet", FIRST),
    ("open plan.json", FIRST),
    ("open listing.sha256", FIRST),
    ("open listing.parquet", FIRST),
    ("before reading listing.parquet", FIRST),
    ("after reading listing.parquet", FIRST),
    ("open model.json", FIRST),
    ("mkdir clinicRufi1", FIRST),
    ("mkdir try-1", FIRST),
    (f"open {TABLE}", FIRST),
    (f"open {LINKS}", FIRST),
    ("before answer", FIRST),
    ("request", FIRST),
    ("after answer", FIRST),
    (f"before row group of {TABLE}", FIRST),
    (f"after row group of {TABLE}", FIRST),
    ("before row group of events.parquet draft", FIRST),
    (f"after row group of {LINKS}", LAST),
    ("request", LAST),
    ("after answer", LAST),
    (f"before footer of {LINKS}", FIRST),
    (f"after footer of {TABLE}", FIRST),
    (f"before fsync of {LINKS}", FIRST),
    (f"after fsync of {LINKS}", FIRST),
    *((f"rename {name}.parquet draft", FIRST) for name in reversed([*TABLES])),
    ("open try-1", FIRST),
    ("before fsync of try-1", FIRST),
    ("after fsync of try-1", FIRST),
    (f"remove {TABLE}", FIRST),
    (f"open {TABLE.removesuffix(' draft')}", LAST),
    ("open manifest.json draft", FIRST),
    ("before fsync of manifest.json draft", FIRST),
    ("after fsync of manifest.json draft", FIRST),
    ("rename manifest.json draft", FIRST),
    ("before fsync of try-1", LAST),
    ("after fsync of try-1", LAST),
    ("remove manifest.json draft", FIRST),
    ("open manifest.json", LAST),
    ("end", FIRST),
]


def answer(request: Request) -> Reply:
    uids = request.query["trackedEntities"].split(",")
    return as_json({"pager": {"page": 1}, "trackedEntities": [everything_of(uid) for uid in uids]})


def everything_of(uid: str) -> dict[str, Any]:
    number = int(uid[-5:])
    other = {"trackedEntity": {"trackedEntity": UIDS[(number + 1) % len(UIDS)]}}
    link = {
        "relationship": f"relation{number:03}",
        "relationshipType": "typeMother1",
        "from": {"trackedEntity": {"trackedEntity": uid}},
        "to": other,
    }
    events = [event(f"event{number:06}", relationships=[])]
    course = enrollment(f"enroll{number:05}", program=HIV, events=events, relationships=[])
    return person(uid, enrollments=[course], relationships=[link])


@dataclass(frozen=True)
class World:
    """A source, and a nursery that has imported the step already."""

    url: str
    nursery: subprocess.Popen[str]

    def plan(self, root: Path) -> Workspace:
        return planned(root, dict.fromkeys(UIDS, (HIV,)), related=[TYPE])

    def run(self, root: Path, kill_at: str = "", nth: int = 0) -> tuple[int, list[str]]:
        """Run the first try; return the signal that ended it, and what it came to before."""
        log = root / "boundaries.log"
        job = Job(self.url, str(root), ROUTE.model_dump_json(), SLICE, str(log), kill_at, nth)
        return ended(self.nursery, job), log.read_text().splitlines()

    def retry(self, workspace: Workspace) -> Package:
        with Dhis2Client(self.url) as client:
            return open_package(extract(client, ROUTE, workspace, SLICE, 2).package)


@pytest.fixture(scope="module")
def world(nursery: subprocess.Popen[str]) -> Iterator[World]:
    with scripted(of_version("2.43.1", answer)) as server:
        yield World(server.url, nursery)


@pytest.fixture(scope="module")
def undisturbed(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str]]:
    """What an undisturbed try stages, and every boundary that it comes to."""
    workspace = world.plan(tmp_path_factory.mktemp("undisturbed"))
    ended, boundaries = world.run(workspace.root)
    assert ended == 0
    return content(open_package(staged(workspace.package(SLICE, 1)))), boundaries


def content(package: Package) -> Any:
    """Return all that a package holds, but for when it was made."""
    groups = [
        {name: table.to_pylist() for name, table in group.items()} for group in package.row_groups()
    ]
    each_try = {"read_number", "read_at", "timings"}
    notes = {key: note for key, note in package.notes.items() if key not in each_try}
    return groups, notes


def test_the_boundaries_are_those_that_the_step_comes_to(
    undisturbed: tuple[Any, list[str]],
) -> None:
    (groups, _), comes_to = undisturbed

    assert len(set(BOUNDARIES)) == len(BOUNDARIES) >= 12
    assert {boundary for boundary, _ in BOUNDARIES} <= set(comes_to)
    assert kinds(comes_to) - kinds(boundary for boundary, _ in BOUNDARIES) == set()
    for name in TABLES.keys() - {"notes", "owners"}:
        assert sum(len(group[name]) for group in groups) >= len(UIDS), name


def kinds(boundaries: Iterable[str]) -> set[str]:
    """Return boundaries with whatever table they are of."""
    return {re.sub("|".join(TABLES), "TABLE", boundary) for boundary in boundaries}


@pytest.mark.parametrize(("boundary", "when"), BOUNDARIES, ids=lambda text: text)
def test_a_try_killed_anywhere_leaves_nothing_half_and_the_next_is_whole(
    boundary: str, when: str, world: World, undisturbed: tuple[Any, list[str]], tmp_path: Path
) -> None:
    whole, comes_to = undisturbed
    workspace = world.plan(tmp_path)
    nth = Counter(comes_to)[boundary] if when == LAST else 1

    ended, before = world.run(tmp_path, boundary, nth)
    killed = workspace.package(SLICE, 1)
    published = (killed / MANIFEST).exists()
    package = world.retry(workspace)

    assert ended == signal.SIGKILL
    assert Counter(before)[boundary] == nth - 1
    assert content(package) == whole
    assert package.folder == workspace.package(SLICE, 2)
    if published:
        assert content(open_package(staged(killed))) == whole
    assert published == ("rename manifest.json draft" in before)
    assert json.loads((package.folder / MANIFEST).read_bytes())["files"].keys() == TABLES.keys()
