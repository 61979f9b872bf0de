"""Does the page of the state say what the state holds?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dhis2_api.importer import Ref
from repository.documents import FENCE, table, text_of
from tracker_sync.outcome import KINDS, Entry, Outcome
from tracker_sync.state.known import Page, remember
from tracker_sync.state.pages import STATE, pages


PAGE = "docs/state.md"
REFUSED = Entry(Ref("EVENT", "event000001"), None, Outcome.REFUSED, code="E1125")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    remember(Page(tmp_path, "r1", "rufisque", 1, datetime.now(UTC)), [REFUSED], "m1")
    return tmp_path


def test_the_columns_are_documented(state: Path) -> None:
    documented = {name: (kind, meaning) for name, kind, meaning in table(PAGE, "Columns")}

    assert [(name, kind) for name, (kind, _) in documented.items()] == [
        (field.name, str(field.type)) for field in STATE
    ]
    for kind in KINDS:
        assert f"`{kind}`" in documented["kind"][1]
    for outcome in ("stored", "unchanged", "refused", "held"):
        assert f"`{outcome}`" in documented["outcome"][1]
    (page,) = pages(state)
    assert pq.read_schema(page).equals(STATE)
    assert pq.read_metadata(page).metadata[b"tracker_sync.state"] == b"3"


def test_the_seven_needs_are_documented() -> None:
    assert len(table(PAGE, "What for")) == 7


def test_the_example_with_pandas_reads_a_real_state(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = [code for language, code in FENCE.findall(text_of(PAGE)) if language == "python"]

    exec(compile(example, PAGE, "exec"), {"state": state})  # noqa: S102  # our own document

    assert "E1125" in capsys.readouterr().out
