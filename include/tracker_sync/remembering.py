"""The remembering: how a load that dies half-way leaves behind what it knew by then."""

from __future__ import annotations

from collections.abc import Iterable

from tracker_sync.outcome import Entry
from tracker_sync.state import Page, remember


# A page of so many lines takes some milliseconds to write, and has some ten thousand bytes.
_LINES_A_PAGE = 2_000


def remember_as_they_come(page: Page, entries: Iterable[Entry], model_hash: str) -> list[Entry]:
    """Return all entries; those that came are in the state, even if the next one never does.

    What a killed process was about to remember is lost: the next run compares it again.

    Args:
        page: What is common to the pages they are written to.
        entries: A slice's ledger, in the making.
        model_hash: The programs' metadata it is loaded under.
    """
    came: list[Entry] = []
    remembered = 0
    try:
        for entry in entries:
            came.append(entry)
            if len(came) - remembered >= _LINES_A_PAGE:
                remember(page, came[remembered:], model_hash)
                remembered = len(came)
    finally:
        if remembered < len(came):
            remember(page, came[remembered:], model_hash)
    return came
