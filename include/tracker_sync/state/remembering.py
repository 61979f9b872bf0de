"""The remembering: how a load that dies half-way leaves behind what it knew by then."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from tracker_sync.ledger import LEDGER
from tracker_sync.state.known import Page, remember_lines


# A page of so many lines is some hundred people, takes some ten milliseconds to write, and has
# some hundred thousand bytes.
_LINES_A_PAGE = 5_000


def remember_as_they_come(page: Page, lines: Iterable[pa.Table], model_hash: str) -> pa.Table:
    """Return all rows of `LEDGER`; those that came are in the state, even if no other does.

    What a killed process was about to remember is lost: the next run compares it again.

    Args:
        page: What is common to the pages they are written to.
        lines: A slice's ledger in the making, the rows of some batch at a time.
        model_hash: The programs' metadata it is loaded under.
    """
    rows = [LEDGER.empty_table()]
    came: list[pa.Table] = []
    try:
        for some in lines:
            came.append(some)
            if sum(map(len, came)) >= _LINES_A_PAGE:
                whole, came = came, []
                rows.append(_remembered(page, whole, model_hash))
    finally:
        if came:
            rows.append(_remembered(page, came, model_hash))
    return pa.concat_tables(rows)


def _remembered(page: Page, lines: Iterable[pa.Table], model_hash: str) -> pa.Table:
    rows = pa.concat_tables(lines).combine_chunks()
    remember_lines(page, rows, model_hash)
    return rows
