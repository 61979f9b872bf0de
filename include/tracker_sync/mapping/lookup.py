"""The lookup: how a column of names becomes what the destination calls them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.mapping.terms import DROP


_SEPARATOR = ","  # of the codes of a value that holds several (tracker-api 6)


@dataclass(frozen=True, slots=True)
class Renamed:
    """A column as the destination calls it, row by row.

    Attributes:
        values: The names; what is not mapped keeps its own, what is dropped has none.
        dropped: Whether a row's name is to be left out.
        unmapped: Whether a row's name stands in no table, though it must.
    """

    values: pa.ChunkedArray
    dropped: pa.ChunkedArray
    unmapped: pa.ChunkedArray


@dataclass(frozen=True, slots=True)
class Lookup:
    """One table, ready to be applied.

    Attributes:
        sources: What the source calls them.
        targets: What the destination does; null where it is dropped.
        closed: Whether what is not among the sources is unmapped.
    """

    sources: pa.Array
    targets: pa.Array
    closed: bool

    @classmethod
    def of(cls, table: Mapping[str, str], *, closed: bool) -> Self:
        """Return the lookup of a table."""
        targets = [None if target == DROP else target for target in table.values()]
        return cls(pa.array([*table], pa.string()), pa.array(targets, pa.string()), closed)

    @property
    def is_identity(self) -> bool:
        """Whether nothing would be another by it."""
        return not len(self.sources) and not self.closed

    def rename(self, column: pa.ChunkedArray) -> Renamed:
        """Return a column of names, null where there is none, in the destination's names."""
        index = pc.index_in(column, value_set=self.sources)
        listed, targets = pc.is_valid(index), self.targets.take(index)
        unlisted = pc.and_(pc.is_valid(column), pc.invert(listed))
        return Renamed(
            pc.if_else(listed, targets, column),
            pc.and_(listed, pc.is_null(targets)),
            pc.and_(unlisted, pa.scalar(self.closed)),
        )

    def rename_each(self, column: pa.ChunkedArray) -> Renamed:
        """Return a column of several codes a value; a value is dropped when all of it is.

        Such values are rare, so they are taken one by one.
        """
        known = dict(zip(self.sources.to_pylist(), self.targets.to_pylist(), strict=True))
        found = [*_each(column.to_pylist(), known)]
        unmapped = [self.closed and unknown for _, unknown in found]
        values = pa.chunked_array([pa.array([value for value, _ in found], pa.string())])
        dropped = pc.and_(pc.is_valid(column), pc.is_null(values))
        return Renamed(values, dropped, pa.chunked_array([pa.array(unmapped, pa.bool_())]))


def _each(
    values: list[str | None], known: Mapping[str, str | None]
) -> Iterator[tuple[str | None, bool]]:
    for value in values:
        codes = value.split(_SEPARATOR) if value else []
        kept = [known.get(code, code) for code in codes]
        joined = _SEPARATOR.join(dict.fromkeys(code for code in kept if code is not None))
        yield joined or None, not known.keys() >= {*codes}
