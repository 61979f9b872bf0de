"""Does the page of the mapping tell every key, and are its examples ones?"""

from __future__ import annotations

import re
from pathlib import Path

from repository.documents import FENCE, README, text_of
from repository.documents import table as table_of
from tracker_sync.mapping.reasons import UNMAPPED
from tracker_sync.mapping.terms import PLURALS, TABLES, MappingTerms
from tracker_sync.routes import load_route


PAGE = "docs/mapping.md"
AROUND = "source: a\ndestination: b\nprograms: [xsd8pFBm2w1]\norg_units: [GwTj6qZdrlX]\n"


def test_every_key_is_documented() -> None:
    keys = [re.sub("`", "", row[0]) for row in table_of(PAGE, "The keys")]

    assert keys == [*MappingTerms.model_fields, "file"]
    assert {*TABLES} < {*keys}
    assert UNMAPPED.keys() == {*TABLES} > {*PLURALS}


def test_both_examples_are_read_together(tmp_path: Path) -> None:
    examples = dict(FENCE.findall(text_of(PAGE)))
    (tmp_path / "north.yaml").write_text(AROUND + examples["yaml"])
    (tmp_path / "district.csv").write_text(examples["csv"])

    mapping = load_route(tmp_path / "north.yaml").mapping

    assert len(mapping.org_units) == 2
    assert mapping.attributes == {"UuGeFXDfuFj": "drop"}
    assert mapping.options["AcCtZkAvAsC"].keys() == {"F", "M", "U"}
    assert mapping.closed == {"org_units"}


def test_the_readme_leads_to_it() -> None:
    assert f"({PAGE})" in text_of(README)
