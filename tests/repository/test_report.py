"""Is every key and column of a report documented, and every documented one there?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builders import CLINIC
from repository.documents import FENCE, table, text_of
from repository.refused_run import REFUSED, Run, run_with_refusals
from tracker_sync.codes import REMEDIES
from tracker_sync.ledger import LEDGER
from tracker_sync.outcome import KINDS, Outcome
from tracker_sync.runs.ledger import RUN_LEDGER
from tracker_sync.runs.reject_details import DETAILS
from tracker_sync.runs.tally import COLUMNS
from tracker_sync.workspace import Workspace


REPORT = "docs/report.md"
MOST_OF_AN_XCOM = 16_384

# What a word in capitals stands for in a documented key.
STANDS_FOR = {
    "PROGRAM": r"[A-Za-z][A-Za-z0-9]{10}",
    "KIND": "|".join(KINDS),
    "COUNT": "|".join(COLUMNS),
    "CODE": "|".join(REMEDIES),
    "STEP": "extract|transform|load",
}
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "text or null": (str, type(None)),
    "count": (int,),
    "seconds": (int, float),
    "true or false": (bool,),
}


def leaves(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield `slices[].name` and its value, for every value there is."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{above}.{key}" if above else key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{above}[]")
    else:
        yield above, value


def pattern_of(key: str) -> re.Pattern[str]:
    words = [f"(?:{STANDS_FOR[w]})" if w in STANDS_FOR else re.escape(w) for w in key.split(".")]
    return re.compile(r"\.".join(words))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_with_refusals(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize(
    ("heading", "which"),
    [("`report.json`", "report"), ("XCom `import_report` of `slice.load`", "loaded")],
)
def test_every_key_of_a_report_is_documented_and_every_documented_key_is_there(
    heading: str, which: str, run: Run
) -> None:
    document = run.loaded if which == "loaded" else json.loads(run.workspace.report.read_text())
    documented = {pattern_of(key): kind for key, kind, _ in table(REPORT, heading)}

    seen = set()
    for key, value in leaves(document):
        patterns = [found for found in documented if found.fullmatch(key)]
        assert len(patterns) == 1, f"{key} is not documented, or twice"
        (pattern,) = patterns
        assert type(value) in TYPES[documented[pattern]], key
        seen.add(pattern)

    assert {pattern.pattern for pattern in documented.keys() - seen} == set()


def test_the_counts_are_documented_in_their_order() -> None:
    assert [key for key, _, _ in table(REPORT, "Counts")] == list(COLUMNS)


def test_the_report_in_a_file_is_the_one_in_the_xcom(run: Run) -> None:
    file = json.loads(run.workspace.import_report(CLINIC).read_text())

    assert file == run.loaded


def test_the_settlements_xcom_holds_the_documented_part_of_the_report(run: Run) -> None:
    (sentence,) = re.findall(r"These keys of `report.json`.*: (.+)\.\n", text_of(REPORT))

    assert re.findall(r"`(\w+)`", sentence) == list(run.settled.summary())
    assert run.settled.problems


def test_five_thousand_refusals_fit_into_an_xcom(run: Run) -> None:
    assert run.settled.report["totals"]["refused"] == REFUSED

    assert len(json.dumps(run.loaded).encode()) <= MOST_OF_AN_XCOM
    assert len(json.dumps(run.settled.summary()).encode()) <= MOST_OF_AN_XCOM
    assert len(run.settled.report["refusals"]) < run.settled.report["refusals_in_all"]


def test_a_child_that_did_not_come_with_its_person_is_missing(run: Run) -> None:
    ledger = pq.read_table(run.workspace.ledger(CLINIC)).to_pylist()

    (line,) = [row for row in ledger if row["uid"] == "hidden00001"]
    assert (line["kind"], line["tracked_entity"]) == ("EVENT", "person00000")
    assert (line["outcome"], line["code"]) == (Outcome.MISSING, "SYNC_CHILD_NOT_RETURNED")
    assert any("1 missing, SYNC_CHILD_NOT_RETURNED" in text for text in run.settled.problems)
    assert not run.settled.accounted


def test_the_columns_of_the_ledger_are_documented(run: Run) -> None:
    ledger = table(REPORT, "The ledger")

    documented = [(name, kind) for name, kind, _ in ledger]

    assert documented == [(field.name, str(field.type)) for field in RUN_LEDGER]
    assert set(LEDGER.names) == set(RUN_LEDGER.names) - {"slice", "class", "who"}
    assert pq.read_schema(run.workspace.run_ledger).equals(RUN_LEDGER)
    assert pq.read_schema(run.workspace.ledger(CLINIC)).equals(LEDGER)
    for outcome in Outcome:
        assert f"`{outcome}`" in ledger[RUN_LEDGER.names.index("outcome")][2]


def test_the_columns_of_the_texts_are_documented(run: Run) -> None:
    documented = [(name, kind) for name, kind, _ in table(REPORT, "The texts of refusals")]

    assert documented == [(field.name, str(field.type)) for field in DETAILS]
    assert pq.read_table(run.workspace.run_rejects).num_rows == REFUSED


def test_the_files_lie_where_they_are_documented() -> None:
    workspace = Workspace(Path("STAGING"), "ROUTE", "RUN")

    paths = {
        *(workspace.report, workspace.plan, workspace.listing, workspace.model),
        workspace.metadata,
        *(workspace.run_ledger, workspace.ledger("PHASE"), workspace.import_report("PHASE")),
        *(workspace.run_rejects, workspace.rejects("SLICE"), workspace.unique_values),
        *(workspace.asked_to_delete("PHASE"), workspace.given_up),
        *(workspace.ledger("SLICE"), workspace.import_report("SLICE")),
        *(workspace.package("SLICE", 1), workspace.servers, workspace.state / "PAIR"),
    }

    assert {path for path, _ in table(REPORT, "Files")} == {str(path) for path in paths}


def test_the_example_with_pandas_reads_a_real_run(run: Run) -> None:
    (example,) = [block for kind, block in FENCE.findall(text_of(REPORT)) if kind == "python"]

    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=run.workspace.root.parent,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"[{REFUSED} rows x 3 columns]" in done.stdout
