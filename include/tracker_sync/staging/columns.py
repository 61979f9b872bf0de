"""Columns: how one is taken from a table, replaced, and joined to another table's rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


#: Of each row, the number of another.
Places = npt.NDArray[np.int64]


def column(table: pa.Table, name: str) -> pa.Array:
    """Return a column in one piece."""
    return table[name].combine_chunks()


def replaced(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """Return a table with other values in a column."""
    return table.set_column(table.column_names.index(name), name, values)


def places(values: pa.Table, parents: pa.Table, key: str) -> Places:
    """Return of each value the row of what it belongs to.

    Raises:
        ValueError: That is not there; the tables are not of a closed set.
    """
    found = pc.index_in(column(values, key), value_set=column(parents, key))
    if found.null_count:
        raise ValueError(f"{found.null_count} values belong to no {key} that was staged with them")
    at: Places = found.to_numpy().astype(np.int64)
    return at
