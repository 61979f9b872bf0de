"""The lines of the state: which of them are wanted, whatever pages they lie in."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.state.pages import STATE, PageVanished, is_compacted, pages, parts


Wanted = Callable[[pa.Table], pa.ChunkedArray]


@dataclass(frozen=True, slots=True)
class OfOthers:
    """Of the wanted lines those that another run than *but_run* wrote.

    What that one alone wrote is not read: in a first run nobody else wrote anything, and
    each slice would read all that the others did.
    """

    but_run: str
    wanted: Wanted

    def __call__(self, part: pa.Table) -> pa.ChunkedArray:
        """Say of each line whether it is wanted."""
        return pc.and_not(self.wanted(part), among(part["run"], texts([self.but_run])))


def lines(
    folder: Path, columns: Iterable[str], wanted: Wanted, judged_by: Iterable[str] = ()
) -> pa.Table:
    """Return the wanted lines of a state, in no order.

    Args:
        folder: The state.
        columns: The columns to return.
        wanted: Says of each line of a table whether it is wanted.
        judged_by: The columns that *wanted* looks at besides.

    Raises:
        StateUnusable: A page is damaged, or of another release.
    """
    returned = [*columns]
    read = [*dict.fromkeys([*returned, *judged_by])]
    but_run = wanted.but_run if isinstance(wanted, OfOthers) else None
    schema = pa.schema([STATE.field(name) for name in returned])
    while True:
        there = pages(folder)
        try:
            found = [
                part.filter(wanted(part)).select(returned).cast(schema)
                for part in parts(there, read, but_run)
            ]
        except PageVanished:
            continue
        if not _compacted_meanwhile(folder, there):
            return pa.concat_tables([pa.Table.from_batches([], schema), *found])


def among(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    """Return of each item of *column* whether it is one of *values*; null is not."""
    return pc.is_in(column, value_set=values)


def texts(values: Collection[str]) -> pa.StringArray:
    """Return *values* as an Arrow array.

    `pa.array` and `pa.scalar` would import pandas, which takes a second and 80 MB.
    """
    encoded = [value.encode() for value in values]
    offsets = array("i", [0, *accumulate(map(len, encoded))])
    content = b"".join(encoded)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(content))


def _compacted_meanwhile(folder: Path, seen: set[Path]) -> bool:
    """Whether the list of pages was made during a compaction, and may lack what it moved.

    A compaction publishes first and removes later: a list may have missed the one and,
    a moment later, the other.
    """
    now = pages(folder)
    return not seen <= now or any(map(is_compacted, now - seen))
