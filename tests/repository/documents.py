"""The documents: what stands where in them."""

from __future__ import annotations

import re
from pathlib import Path


ROOT = Path(__file__).parents[2]
README = "README.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
WRITTEN = [*(ROOT / "docs").glob("*.md"), *DECISIONS, ROOT / "CHANGELOG.md", ROOT / README]
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for path in WRITTEN)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


def code_in(document: str) -> list[str]:
    """Return what a document shows as code: its fenced blocks and its code spans."""
    text = text_of(document)
    blocks = [block for _, block in FENCE.findall(text)]
    return [*blocks, *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))]


def table(document: str, heading: str, *, number: int = 0) -> list[list[str]]:
    """Return the cells of the rows of a table below a heading, without its head."""
    _, found, rest = text_of(document).partition(f"\n## {heading}\n")
    assert found, f"{document} has no heading {heading}"
    tables = re.findall(r"(?:^\|.*\n)+", rest.partition("\n## ")[0], re.MULTILINE)
    rows = tables[number].splitlines()[2:]
    return [[_cell(text) for text in row.strip("|").split("|")] for row in rows]


def _cell(text: str) -> str:
    """Return a cell, without the quotes of code if it is nothing but one span of code."""
    code = re.fullmatch(r"`([^`]*)`", text.strip())
    return code[1] if code else text.strip()
