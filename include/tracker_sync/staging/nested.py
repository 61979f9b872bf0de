"""Nested rows: how the children of objects become rows that remember what they stand under."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Nested:
    """Rows of one kind, and what each has of the objects above it.

    Attributes:
        rows: The rows, nested as they came.
        above: Column name -> what the object above has there, a row.
    """

    rows: pa.StructArray
    above: Mapping[str, pa.Array]

    def children(self, name: str, *kept: str) -> Nested:
        """Return all rows nested under *name*; they remember our columns *kept*."""
        nested = pc.struct_field(self.rows, name)
        parent = pc.list_parent_indices(nested)
        above = {**self.above, **{key: pc.struct_field(self.rows, key) for key in kept}}
        return Nested(pc.list_flatten(nested), {k: uids.take(parent) for k, uids in above.items()})

    def only(self, name: str, wanted: Collection[str]) -> Nested:
        """Return the rows whose *name* is one of *wanted*."""
        values = pa.array([*wanted], pa.string())
        keep = pc.is_in(pc.struct_field(self.rows, name), value_set=values)
        if keep.true_count == len(keep):
            return self  # a copy of everything below is as dear as the page's parsing
        return Nested(
            self.rows.filter(keep), {k: uids.filter(keep) for k, uids in self.above.items()}
        )

    def table(self, schema: pa.Schema) -> pa.Table:
        """Return the rows with the columns of *schema*.

        A column is null where neither the rows nor those above have it; an object within
        a row, such as a user, is its first field.
        """
        # All columns in one call: one after another takes longer than the page's parsing.
        names = [field.name for field in self.rows.type]
        columns = {**dict(zip(names, self.rows.flatten(), strict=True)), **self.above}
        arrays = [_plain(columns.get(f.name), len(self.rows), f.type) for f in schema]
        return pa.Table.from_arrays(arrays, schema=schema)


def _plain(column: pa.Array | None, length: int, type_: pa.DataType) -> pa.Array:
    if column is None:
        return pa.nulls(length, type_)
    return column.flatten()[0] if pa.types.is_struct(column.type) else column
