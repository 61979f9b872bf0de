"""Does the code stay small enough to be read, and free of what nobody should read?"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
# Put together, so that this file doesn't hold what it looks for.
LEFT_FOR_LATER = re.compile("|".join(["TO" + "DO", "FIX" + "ME"]))
HOMES = ["work", "tmp/w", "home/(?!airflow/)[a-z]+", "Users/[A-Za-z]+", "root"]
SOMEBODYS_MACHINE = re.compile(rf"(?<![\w.])/(?:{'|'.join(HOMES)})/|[A-Z]:\\Users\\")


def files() -> list[Path]:
    """Return every file of the project: in Git, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = sorted({ROOT / name for name in done.stdout.split("\0") if name})
    return [path for path in found if path.is_file()]


def of_python() -> dict[str, str]:
    """Return the text of every module outside the tests, by its path in the repository."""
    modules = [path.relative_to(ROOT) for path in files() if path.suffix == ".py"]
    texts = {str(path): (ROOT / path).read_text() for path in modules if path.parts[0] != "tests"}
    assert {name.partition("/")[0] for name in texts} >= {"dags", "plugins", "include", "demo"}
    return texts


CODE = of_python()
TREES = {name: ast.parse(text) for name, text in CODE.items()}


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}::{node.name}", node


def lines_of(first: ast.stmt, last: ast.stmt) -> int:
    return (last.end_lineno or 0) - first.lineno + 1


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has below its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return lines_of(body[0], body[-1]) if body else 0


@pytest.mark.parametrize(("below", "most"), [("", 250), ("dags/", 80)])
def test_a_module_can_be_read_at_one_sitting(below: str, most: int) -> None:
    lengths = {name: len(text.splitlines()) for name, text in CODE.items()}
    measured = {name: lines for name, lines in lengths.items() if name.startswith(below)}

    assert measured
    assert {name: lines for name, lines in measured.items() if lines > most} == {}


def test_a_function_fits_on_a_screen() -> None:
    lengths = {name: lines_of(function, function) for name, function in functions()}

    assert len(lengths) > 300
    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}


def test_an_operator_unpacks_delegates_and_packs() -> None:
    executes = {
        name: body_lines(function)
        for name, function in functions()
        if name.startswith("plugins/") and function.name == "execute"
    }

    assert executes
    assert {name: lines for name, lines in executes.items() if lines > 10} == {}


def test_a_module_says_what_it_is_for() -> None:
    silent = [name for name, tree in TREES.items() if not ast.get_docstring(tree)]

    assert silent == []


def test_a_modules_name_says_something() -> None:
    assert [name for name in CODE if SAYS_NOTHING & set(Path(name).with_suffix("").parts)] == []


def test_nothing_is_left_for_later() -> None:
    assert [name for name, text in CODE.items() if LEFT_FOR_LATER.search(text)] == []


def test_nothing_names_a_place_on_somebodys_machine() -> None:
    assert SOMEBODYS_MACHINE.search("see /" + "work/x")
    found = []
    for path in files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a picture or Parquet
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in SOMEBODYS_MACHINE.finditer(text)]

    assert found == []


def test_the_readme_is_short_enough_to_be_read() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()

    assert 0 < len(readme) <= 200
