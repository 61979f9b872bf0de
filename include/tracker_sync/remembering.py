"""The remembering: how a load that dies half-way leaves behind what it knew by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from tracker_sync.ledger import LEDGER, as_table
from tracker_sync.outcome import Entry
from tracker_sync.state import Page, remember_lines


# A page of so many lines is some hundred people, takes some ten milliseconds to write, and has
# some hundred thousand bytes.
_LINES_A_PAGE = 5_000


def remember_as_they_come(
    page: Page, entries: Iterable[Sequence[Entry]], model_hash: str
) -> pa.Table:
    """Return all as rows of `LEDGER`; those that came are in the state, even if no other does.

    They do not stay objects: those of a slice may be a million. What a killed process was
    about to remember is lost: the next run compares it again.

    Args:
        page: What is common to the pages they are written to.
        entries: A slice's ledger in the making, some lines at a time.
        model_hash: The programs' metadata it is loaded under.
    """
    rows = [LEDGER.empty_table()]
    came: list[Entry] = []
    try:
        for some in entries:
            came += some
            if len(came) >= _LINES_A_PAGE:
                lines, came = came, []
                rows.append(_remembered(page, lines, model_hash))
    finally:
        if came:
            rows.append(_remembered(page, came, model_hash))
    return pa.concat_tables(rows)


def _remembered(page: Page, lines: Iterable[Entry], model_hash: str) -> pa.Table:
    rows = as_table(lines)
    remember_lines(page, rows, model_hash)
    return rows
