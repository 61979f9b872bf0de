"""The run's ledger: what became of each object of a run, one line each, as one Parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.codes import remedy_for
from tracker_sync.ledger import LEDGER
from tracker_sync.loading.bringing_files import FILE_RANKS
from tracker_sync.staging.file_values import FILE


# A row of a slice's or a phase's ledger, which of them it is, and what its code stands for.
RUN_LEDGER = pa.schema(
    [
        *(LEDGER.field(name) for name in ("kind", "uid", "tracked_entity", "lone_event")),
        pa.field("slice", pa.string()),
        *(LEDGER.field(name) for name in LEDGER.names[4:]),
        pa.field("class", pa.string()),
        pa.field("who", pa.string()),
    ]
)
_OBJECT = ["kind", "uid"]
_ROW = (1 << 40) - 1  # more rows than there are


def run_ledger(slices: Mapping[str, pa.Table], phases: Mapping[str, pa.Table]) -> pa.Table:
    """Return one line an object: that of the last phase which speaks of it, else its slice's.

    Of a file, which people of several slices may name, it is the best.

    Args:
        slices: Slice -> its lines, rows of `LEDGER`.
        phases: The same of the phases after the slices, in their order.
    """
    parts = {**slices, **phases}
    rows = [
        lines.append_column("slice", pa.repeat(pa.scalar(name, pa.string()), lines.num_rows))
        for name, lines in parts.items()
    ]
    every = pa.concat_tables([_EMPTY, *rows])
    last = every.append_column("row", _order(every)).group_by(_OBJECT).aggregate([("row", "max")])
    rows_kept = pc.bit_wise_and(last["row_max"], _ROW)
    rows_kept = rows_kept.take(pc.sort_indices(rows_kept))
    return _with_remedies(every.take(rows_kept)).select(RUN_LEDGER.names).cast(RUN_LEDGER)


def twice(lines: pa.Table) -> Sequence[Ref]:
    """Return what more than one of *lines* speaks of; a file belongs to all who name it."""
    lines = lines.filter(pc.not_equal(lines["kind"], FILE))
    counted = lines.group_by(_OBJECT).aggregate([([], "count_all")])
    found = counted.filter(pc.greater(counted["count_all"], 1)).to_pylist()
    return sorted(Ref(row["kind"], row["uid"]) for row in found)


def _order(lines: pa.Table) -> pa.ChunkedArray:
    """Return by what the line of an object is chosen: its row, after its rank if it is a file."""
    ranks = pc.index_in(lines["outcome"], value_set=pa.array([*map(str, FILE_RANKS)]))
    of_files = pc.if_else(pc.equal(lines["kind"], FILE), ranks.cast(pa.int64()), 0)
    rows = pa.array(range(lines.num_rows), pa.int64())
    return pc.add(pc.multiply(of_files, _ROW + 1), rows)


def _with_remedies(lines: pa.Table) -> pa.Table:
    """Say of each code what class it is of and who acts; each is looked up once."""
    codes = lines["code"].unique().drop_null().to_pylist()
    remedies = [remedy_for(code) for code in codes]
    which = pc.index_in(lines["code"], value_set=pa.array(codes, pa.string()))
    classes = pa.array([remedy.kind for remedy in remedies], pa.string())
    who = pa.array([str(remedy.who) for remedy in remedies], pa.string())
    lines = lines.append_column("class", classes.take(which.combine_chunks()))
    return lines.append_column("who", who.take(which.combine_chunks()))


_EMPTY = pa.schema([*LEDGER, pa.field("slice", pa.string())]).empty_table()
