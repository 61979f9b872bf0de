"""The file beside the route: how its rows become the tables of a mapping."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker_sync.mapping.terms import DROP, PLURALS, TABLES


HEAD = ("table", "source", "destination", "option_set")
_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
_NAME = re.compile(r"[\w-][\w.-]*\.csv")


class BadMappingFile(Exception):
    """A file that is no mapping.

    Attributes:
        line: The line at fault, counted from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def with_file(mapping: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a route's key `mapping` with the tables of the file that it names, if it does.

    Args:
        mapping: As it stands in the route.
        folder: Where the route lies.

    Raises:
        BadMappingFile: A row cannot be used, or says what the route or another row says.
    """
    inline = {key: value for key, value in mapping.items() if key != "file"}
    name = mapping.get("file")
    if name is None:
        return inline
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadMappingFile("is no name of a CSV file beside the route", 1)
    tables: dict[str, dict[str, Any]] = {table: dict(_at(inline, table)) for table in TABLES}
    for line, row in _rows(folder / name):
        _add(tables, row, line)
    return {**inline, **{table: rows for table, rows in tables.items() if rows}}


def _at(inline: Mapping[str, Any], table: str) -> Mapping[str, Any]:
    said = inline.get(table) or {}
    if not isinstance(said, dict):
        raise BadMappingFile(f"cannot add to `{table}` of the route, which is no table", 1)
    if table == "options":
        return {uid: dict(codes) for uid, codes in said.items() if isinstance(codes, dict)}
    return said


def _rows(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows with their lines; a spreadsheet may have written semicolons and a mark."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadMappingFile(
            f"cannot be read ({type(error).__name__}); save it as UTF-8", 1
        ) from None
    head = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=";" if ";" in head else ",", strict=True)
    try:
        if tuple(cell.strip() for cell in next(reader, [])) != HEAD:
            raise BadMappingFile(f"its first line is not {','.join(HEAD)}", 1)
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise BadMappingFile(f"{error}; correct the quotes", reader.line_num) from None


def _add(tables: dict[str, dict[str, Any]], row: Sequence[str], line: int) -> None:
    if len(row) != len(HEAD):
        raise BadMappingFile(f"{len(row)} cells instead of {len(HEAD)}", line)
    table, source, target, option_set = row
    if table not in TABLES:
        raise BadMappingFile(f"`{table}` is no table; one of {', '.join(TABLES)}", line)
    if (table == "options") != bool(option_set):
        raise BadMappingFile("an option set stands with options, and with nothing else", line)
    uids = [option_set] if option_set else [source, target] if table in PLURALS else []
    for uid in uids:
        if not _UID.fullmatch(uid) and uid != DROP:
            raise BadMappingFile(f"`{uid}` is no UID", line)
    if not source or not target:
        raise BadMappingFile(f"a cell is empty; write `{DROP}` to leave something out", line)
    there = tables[table].setdefault(option_set, {}) if option_set else tables[table]
    if source in there:
        raise BadMappingFile(f"`{source}` stands twice in `{table}`", line)
    there[source] = target
