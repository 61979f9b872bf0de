"""Is every staged table and column documented, and do the examples give the source's numbers?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.export import Listing
from dhis2_api.fields import Listed
from dhis2_api.reading import read_list
from planned import SLICE, planned
from repository.documents import FENCE, table, text_of
from servers import HIV, MATERNAL, PERSON, SENEGAL, SURVEILLANCE, VACCINATION, route, running
from tracker_sync.bundling.bundles import BUNDLES, OBJECT
from tracker_sync.staging.package import MANIFEST, SCHEMA_KEY, SCHEMA_VERSION
from tracker_sync.staging.tables import TABLES
from tracker_sync.steps.extract import Extracted, extract
from tracker_sync.workspace import Workspace


STAGING = "docs/staging.md"
REGISTERING = (HIV, MATERNAL, VACCINATION)
ROUTE = route(name="demo", programs=(*REGISTERING, SURVEILLANCE))
LONE = f"{SURVEILLANCE}-{SENEGAL}"


@dataclass(frozen=True)
class District:
    """What a source holds, and the folder that holds what was staged of it."""

    folder: Path
    people: Mapping[str, list[dict[str, Any]]]
    lone: list[dict[str, Any]]
    staged: tuple[Extracted, Extracted]

    def packages(self) -> list[Path]:
        return [Path(done.package.manifest).parent for done in self.staged]


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    folder = tmp_path_factory.mktemp("staged")
    with running(folder, "from", district=True) as source:
        people = {program: listed(source, "trackedEntities", program) for program in REGISTERING}
        lone = listed(source, "events", SURVEILLANCE)
        persons: dict[str, list[str]] = {
            row["trackedEntity"]: [] for rows in people.values() for row in rows
        }
        events = {row["event"]: [SURVEILLANCE] for row in lone}
        first = planned(folder / "staging", persons, related=[PERSON])
        done = extract(source, ROUTE, first, SLICE, 1)
        second = planned(folder / "staging", events, program=SURVEILLANCE, slice_id=LONE)
        yield District(folder, people, lone, (done, extract(source, ROUTE, second, LONE, 1)))


def listed(source: Dhis2Client, kind: Listed, program: str) -> list[dict[str, Any]]:
    whole = Listing(kind, program, (SENEGAL,), None, 1000, fields="*")
    return [*read_list(source, whole, ZoneInfo("Etc/UTC"))]


def run_examples(folder: Path) -> str:
    blocks = [block for kind, block in FENCE.findall(text_of(STAGING)) if kind == "python"]
    assert len(blocks) == 3
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=folder,
        env=os.environ | {"PYTHONWARNINGS": "error", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_table_and_every_column_is_documented_with_its_type() -> None:
    documented = {name: [(c, kind) for c, kind, _ in table(STAGING, name)] for name in TABLES}

    assert documented == {
        name: [(field.name, str(field.type)) for field in schema] for name, schema in TABLES.items()
    }
    assert all(meaning for name in TABLES for _, _, meaning in table(STAGING, name))


def test_every_column_of_the_bundles_and_of_their_objects_is_documented() -> None:
    documented = [(name, kind) for name, kind, _ in table(STAGING, "bundles")]
    of_object = [(name, kind) for name, kind, _ in table(STAGING, "An object of a bundle")]

    assert documented[:-1] == [(field.name, str(field.type)) for field in BUNDLES][:-1]
    assert documented[-1] == ("objects", "list")
    assert of_object == [(field.name, str(field.type)) for field in OBJECT]


def test_the_files_of_a_package_are_those_that_are_documented(district: District) -> None:
    (path, _), (manifest, _), _ = table(STAGING, "Folders")
    workspace = Workspace(Path("STAGING"), "ROUTE", "RUN")

    assert path == str(workspace.package("SLICE", 1) / "TABLE.parquet")
    assert manifest == str(workspace.package("SLICE", 1) / MANIFEST)
    for folder in district.packages():
        assert {file.name for file in folder.iterdir()} == {
            *(f"{name}.parquet" for name in TABLES),
            MANIFEST,
        }


def test_every_key_of_a_manifest_is_documented(district: District) -> None:
    documented = {key for key, _, _ in table(STAGING, "The manifest")}

    for folder in district.packages():
        manifest = json.loads((folder / MANIFEST).read_bytes())
        notes = {f"notes.{key}" for key in manifest.pop("notes")} - {"notes.timings"}
        files = {f"files.TABLE.{key}" for file in manifest.pop("files").values() for key in file}
        assert notes | files | manifest.keys() | {"notes.timings.STEP"} == documented


def test_the_version_of_the_schema_is_documented_and_in_every_file(district: District) -> None:
    (meaning,) = [
        text for key, _, text in table(STAGING, "The manifest") if key == "schema_version"
    ]
    assert meaning.startswith(f"{SCHEMA_VERSION};")
    assert f"`{SCHEMA_KEY}`" in meaning

    for folder in district.packages():
        assert json.loads((folder / MANIFEST).read_bytes())["schema_version"] == SCHEMA_VERSION
        for name, schema in TABLES.items():
            found = pq.read_schema(folder / f"{name}.parquet")
            assert found.equals(schema)
            assert found.metadata[SCHEMA_KEY.encode()] == str(SCHEMA_VERSION).encode()


def test_the_examples_give_the_sources_numbers(district: District) -> None:
    lines = [line for line in run_examples(district.folder).splitlines() if line]

    enrollments = Counter(
        (each["program"], each["status"])
        for program, rows in district.people.items()
        for row in rows
        for each in row["enrollments"]
        if each["program"] == program
    )
    assert {program for program, _ in enrollments} == {*REGISTERING}
    for program in REGISTERING:
        line = next(line for line in lines if line.startswith(program))
        counted = {count for (of, _), count in enrollments.items() if of == program}
        assert {int(count) for count in line.split()[1:]} - {0} == counted
    years = Counter(row["occurredAt"][:4] for row in district.lone)
    assert years
    for year, count in years.items():
        assert [SURVEILLANCE, year, str(count)] in [line.split()[1::2] for line in lines], year
    links = {
        link["relationship"]
        for rows in district.people.values()
        for row in rows
        for link in row["relationships"]
    }
    assert links
    assert lines[-2].split()[3] == str(len(links))
