"""The run's ledger: what became of each object of a run, one line each, as one Parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.codes import remedy_for
from tracker_sync.ledger import LEDGER


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


def run_ledger(slices: Mapping[str, pa.Table], phases: Mapping[str, pa.Table]) -> pa.Table:
    """Return one line an object: that of the last phase which speaks of it, else its slice's.

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
    row = pa.array(range(every.num_rows), pa.int64())
    last = every.append_column("row", row).group_by(_OBJECT).aggregate([("row", "max")])
    rows_kept = last.sort_by("row_max")["row_max"]
    return _with_remedies(every.take(rows_kept)).select(RUN_LEDGER.names).cast(RUN_LEDGER)


def twice(lines: pa.Table) -> Sequence[Ref]:
    """Return what more than one of *lines* speaks of."""
    counted = lines.group_by(_OBJECT).aggregate([([], "count_all")])
    found = counted.filter(pc.greater(counted["count_all"], 1)).to_pylist()
    return sorted(Ref(row["kind"], row["uid"]) for row in found)


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
