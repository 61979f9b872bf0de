"""The read numbers: which of two reads of a route came later, whatever any clock said.

A number is a file whose name nobody else could make. A worker's clock that is ahead
would make all that is read later look older than what it read, for as long as it was
ahead; a number cannot be ahead.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc

from tracker_sync.publish import private_folder
from tracker_sync.state.lines import lines


_KEPT = 100  # more than any number of slices that take one in the same moment


def next_read_number(reads: Path, state: Path) -> int:
    """Return a number above all that were ever returned, to whatever process.

    Args:
        reads: The folder of the route's numbers.
        state: The state, whose numbers it stays above even if that folder was lost.
    """
    private_folder(reads)
    number = _highest(reads) or _highest_of_lines(state)
    while True:
        number += 1
        taken = _take(reads, number)
        highest = _highest(reads)
        if taken and highest == number:  # else others were quicker, and may have tidied up
            _tidy(reads)
            return number
        number = highest


def never_below(reads: Path, number: int) -> None:
    """Let all further numbers be above *number*, which an older folder may not know.

    A folder that was lost, or came from a backup, would else give out numbers below that
    of a package which is loaded now, and hide what is read with them.
    """
    private_folder(reads)
    if _highest(reads) < number:
        _take(reads, number)


def _take(reads: Path, number: int) -> bool:
    try:
        (reads / f"{number:010}").touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return False
    return True


def _numbers(reads: Path) -> list[int]:
    return sorted(int(path.name) for path in reads.glob("[0-9]*"))


def _highest(reads: Path) -> int:
    return max(_numbers(reads), default=0)


def _highest_of_lines(state: Path) -> int:
    known = lines(state, ["read_number"], lambda part: pc.is_valid(part["read_number"]))
    return pc.max(known["read_number"]).as_py() or 0


def _tidy(reads: Path) -> None:
    for number in _numbers(reads)[:-_KEPT]:
        (reads / f"{number:010}").unlink(missing_ok=True)
