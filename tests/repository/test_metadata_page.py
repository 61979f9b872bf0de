"""Does the page of the metadata say what the code does?"""

from __future__ import annotations

import json
import re
from pathlib import Path

from repository.documents import FENCE, ROOT, table, text_of
from tracker_sync.codes.of_metadata import METADATA_REMEDIES, page
from tracker_sync.findings import Finding
from tracker_sync.metadata.beyond import Gone
from tracker_sync.metadata.clashes import Clash
from tracker_sync.metadata.difference import Change, Difference
from tracker_sync.metadata.model import Model
from tracker_sync.metadata.telling import MetadataResult
from tracker_sync.route import Route
from tracker_sync.routes import load_route


PAGE = "docs/metadata.md"


def test_every_key_of_the_metadata_is_documented_with_its_default() -> None:
    rows = table(PAGE, "Keys of a route")

    assert {key: default for key, _, default in rows} == {
        name: f"{field.default}"
        for name, field in Route.model_fields.items()
        if name.startswith("metadata")
    }


def test_the_example_is_a_route(tmp_path: Path) -> None:
    (example,) = [block for kind, block in FENCE.findall(text_of(PAGE)) if kind == "yaml"]
    path = tmp_path / "example.yaml"
    around = "source: a\ndestination: b\nprograms: [xsd8pFBm2w1]\norg_units: [GwTj6qZdrlX]\n"
    path.write_text(around + example)

    assert load_route(path).metadata_sharing == "rwrw----"


def test_every_finding_is_documented_with_whether_it_blocks() -> None:
    rows = table(PAGE, "Findings")
    modules = [
        *(ROOT / "include/tracker_sync/metadata").glob("*.py"),
        ROOT / "include/tracker_sync/readiness.py",
    ]
    texts = [path.read_text() for path in modules]

    named = {
        code for text in texts for code in re.findall(r'(?:Finding|danger)\(\s*"([a-z_]+)"', text)
    }
    scopes = {"capture_scope_missing", "search_scope_missing"}  # made of the scope's name
    codes = {code for code, *_ in rows}

    named |= {code for code in METADATA_REMEDIES if code.islower()}
    assert len(named) > 20
    assert named <= codes
    assert {one for one in codes - scopes if not any(f'"{one}"' in text for text in texts)} == set()
    assert {blocks for _, blocks, *_ in rows} <= {
        "yes",
        "no",
        "if objects are missing",
        "with `apply`",
    }


def test_the_file_of_a_run_has_the_keys_and_kinds_of_the_page() -> None:
    found = Difference(
        (Change("programs", "a", (), {}), Change("programs", "b", ("name",), {})),
        {},
        (Gone("options", "c", ("optionSets", "d"), "options", whole=True),),
        (Clash("dataElements", "e", "code", "f"),),
    )
    nothing = Model("", {}, {}, frozenset(), {}, {}, {}, frozenset(), {})
    finding = Finding("metadata_refused", blocking=True, text="x", remedy="y")

    written = json.loads(MetadataResult(nothing, found, 2, (finding,)).to_json())

    assert list(written) == [key for key, _ in table(PAGE, "metadata.json")]
    kinds = {row["kind"] for row in written["objects"]}
    assert kinds == {kind for kind, _ in table(PAGE, "metadata.json", number=1)}
    assert list(written["objects"][0]) == ["class", "uid", "kind", "fields"]
    assert list(written["findings"][0]) == ["code", "blocking", "text", "remedy"]


def test_the_page_of_the_metadata_codes_is_the_table() -> None:
    text = text_of("docs/metadata-codes.md")

    assert text == page()
    assert [code for code in METADATA_REMEDIES if f"| `{code}` |" not in text] == []
