"""Do the documents say what the code does?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from repository.documents import DECISIONS, DOCUMENTS, FENCE, README, ROOT, code_in, table, text_of
from sandbox.exchanges import known_differences, recorded
from tracker_sync.codes import REMEDIES
from tracker_sync.codes.of_metadata import METADATA_REMEDIES
from tracker_sync.route import ProgramSelection
from tracker_sync.routes import load_route, load_routes, routes_folder


QUIRKS = "docs/quirks.md"
SELECTIONS = "docs/selections.md"
#: Pages about metadata imports, whose codes are a table of their own.
METADATA_PAGES = ("docs/metadata-codes.md", "docs/metadata.md", "docs/sandbox.md")
QUIRKS_HEADINGS = ("Reading", "Writing", "Metadata", "Servers and accounts")


class TestEveryDocument:
    """What any document says of the repository is so."""

    pytestmark = pytest.mark.parametrize("document", DOCUMENTS)

    def test_names_only_targets_that_the_makefile_has(self, document: str) -> None:
        targets = set(
            re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        )
        assert {"demo", "check"} <= targets

        named = re.findall(r"\bmake (?:[A-Z]+=\S+ )*([a-z][a-z-]*)", "\n".join(code_in(document)))

        assert set(named) <= targets

    def test_names_only_paths_that_exist(self, document: str) -> None:
        folders = ("bench/", "dags/", "demo/", "docs/", "include/", "plugins/", "tests/", ".ci/")
        paths = [code.partition("::")[0] for code in code_in(document) if code.startswith(folders)]

        # Words in capitals stand for any name.
        globs = [re.sub(r"\b[A-Z]{3,}\b", "*", path).rstrip("/") for path in paths]

        assert [path for path in globs if " " not in path and not [*ROOT.glob(path)]] == []

    def test_links_only_to_what_is_there(self, document: str) -> None:
        links = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(document)))
        local = [link.partition("#") for link in links if "://" not in link]

        targets = {path: (ROOT / document).parent / path for path, _, _ in local if path}
        anchors = [(path or Path(document).name, anchor) for path, _, anchor in local if anchor]

        assert [path for path, target in targets.items() if not target.exists()] == []
        for path, anchor in anchors:
            assert anchor in anchors_of((ROOT / document).parent / path)

    def test_names_only_settings_that_the_code_reads(self, document: str) -> None:
        modules = [path.read_text() for path in (ROOT / "include").rglob("*.py")]
        read = set(re.findall(r"\bTRACKER_SYNC_[A-Z_]+", "\n".join(modules)))
        assert read

        assert set(re.findall(r"\bTRACKER_SYNC_[A-Z_]+", text_of(document))) <= read

    def test_names_only_codes_that_have_a_remedy(self, document: str) -> None:
        pattern = r"\bSYNC_[A-Z_]*[A-Z]\b" + ("" if document == QUIRKS else r"|\bE\d{4}\b")

        of_metadata = METADATA_REMEDIES if document in METADATA_PAGES else {}
        known = {**REMEDIES, **of_metadata}
        assert set(re.findall(pattern, text_of(document))) <= known.keys()

    def test_names_only_dags_that_a_route_makes(self, document: str) -> None:
        dags = {f"tracker_sync__{found.name}" for found in load_routes(routes_folder({}))}
        assert dags

        named = re.findall(r"\btracker_sync__(?![A-Z]{3,}\b)\w+", text_of(document))

        assert set(named) <= dags

    def test_shows_only_python_that_compiles(self, document: str) -> None:
        for language, block in FENCE.findall(text_of(document)):
            if language == "python":
                ast.parse(block, document)


def anchors_of(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def test_every_key_of_a_selection_is_documented_and_the_example_is_one(tmp_path: Path) -> None:
    rows = table(SELECTIONS, "The keys")
    (example,) = [block for kind, block in FENCE.findall(text_of(SELECTIONS)) if kind == "yaml"]
    around = "source: a\ndestination: b\norg_units: [GwTj6qZdrlX]\n"
    (tmp_path / "example.yaml").write_text(around + example)

    keys = [key for row in rows for key in re.findall(r"\w+", row[0])]

    assert keys == list(ProgramSelection.model_fields)
    assert len(load_route(tmp_path / "example.yaml").selections) == 2


def test_the_readme_says_what_to_do_when_a_run_is_red() -> None:
    (head,) = re.findall(
        r"^\|\s*You see\s*\|\s*It means\s*\|\s*Do\s*\|", text_of(README), re.MULTILINE
    )

    assert head


def test_the_tree_in_the_readme_is_the_repository() -> None:
    (tree,) = [block for _, block in FENCE.findall(text_of(README)) if block.startswith("dags/")]

    named = re.findall(r"^(\S+)/ ", tree, re.MULTILINE)

    assert [folder for folder in named if not (ROOT / folder).is_dir()] == []
    assert {folder.split("/")[0] for folder in named} >= {"dags", "plugins", "include", "tests"}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_a_page_with_its_price(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert lines[0].startswith(f"# {path.name[:4]} ")
    assert [line for line in lines if line.startswith("## ")] == [
        *("## Context", "## Choice", "## Price")
    ]
    assert len(lines) <= 60


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == [*range(1, len(DECISIONS) + 1)]
    assert DECISIONS


def test_every_surprise_has_its_evidence_and_its_test() -> None:
    recordings = {exchange.name for exchange in recorded("2.42.4")}
    rows = [row for heading in QUIRKS_HEADINGS for row in table(QUIRKS, heading)]
    assert len(rows) > 30

    for surprise, versions, evidence, we, proof in rows:
        assert surprise, rows
        assert re.fullmatch(r"(all|2\.4\d\.\d+)\b.*", versions), surprise
        assert re.match(r"measured: |recordings: |source", evidence), surprise
        assert set(re.findall(r"\d{3}-[\w-]+", evidence)) <= recordings, surprise
        assert we, surprise
        tests = re.findall(r"tests/\S+?\.py::[\w:]+", proof)
        assert tests or proof == "*no test yet*", surprise
        assert [test for test in tests if not is_a_test(test)] == [], surprise


def test_a_surprise_that_rests_on_the_contract_names_exchanges_that_go_as_recorded() -> None:
    rows = [row for heading in QUIRKS_HEADINGS for row in table(QUIRKS, heading)]
    differing = known_differences("2.42.4").keys()
    resting = [row for row in rows if "tests/sandbox/test_contract.py::" in row[4]]
    assert resting
    assert differing

    for surprise, _, evidence, _, _ in resting:
        named = set(re.findall(r"\d{3}-[\w-]+", evidence))
        assert named, surprise
        assert not named & differing, surprise


def is_a_test(test: str) -> bool:
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    return name.rpartition("::")[2] in {
        n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)
    }
