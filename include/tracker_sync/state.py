"""The state: what earlier runs of a route know, a cache of the truth.

Append-only Parquet, one file a run and slice, folded on read: of two lines about
one object the later counts. Lost, it is rebuilt by comparing the two servers; what
is lost with it is only which refusals were met before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.importer import Ref
from tracker_sync.ledger import LEDGER, as_table
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.plan import Known
from tracker_sync.publish import publishing


STATE = pa.schema(
    [*LEDGER, ("model_hash", pa.string()), ("run", pa.string()), ("at", pa.timestamp("us", "UTC"))]
)
_REMEMBERED = {Outcome.STORED, Outcome.UNCHANGED, Outcome.REFUSED}


def remember(
    folder: Path, run: str, slice_id: str, entries: Iterable[Entry], model_hash: str
) -> None:
    """Add what a slice of a run came to; the same slice again replaces itself.

    Args:
        folder: The route's state.
        run: The folder name of the run.
        slice_id: The slice.
        entries: Its ledger.
        model_hash: The programs' metadata it was loaded under.
    """
    kept = as_table(entry for entry in entries if entry.outcome in _REMEMBERED)
    rows = kept.num_rows
    table = pa.Table.from_arrays(
        [
            *kept.columns,
            pa.repeat(model_hash, rows),
            pa.repeat(run, rows),
            pa.repeat(pa.scalar(datetime.now(UTC), STATE.field("at").type), rows),
        ],
        schema=STATE,
    )
    with publishing(folder / f"{run}--{slice_id}.parquet") as draft:
        pq.write_table(table, draft, compression="zstd", write_page_checksum=True)


def recall(folder: Path, people: Collection[str], but_run: str) -> dict[Ref, Known]:
    """Return what is known of the objects of *people*, except from the run *but_run*.

    A run does not know its own refusals: a task that is cleared meets them anew.
    """
    wanted = pc.is_in(pc.field("tracked_entity"), pa.array([*people], pa.string()))
    return _folded(_rows(folder, wanted & (pc.field("run") != but_run)))


def people_with_open_refusals(folder: Path) -> set[str]:
    """Return the tracked entities whose last known outcome is a refusal.

    They are read by every run, because nothing at the source may ever stamp them again.
    """
    rows = _rows(folder, None)
    last = {(row["kind"], row["uid"]): row for row in rows}
    return {row["tracked_entity"] for row in last.values() if row["outcome"] == Outcome.REFUSED}


def _rows(folder: Path, wanted: pc.Expression | None) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return []
    columns = [name for name in STATE.names if name not in {"action", "known", "sent"}]
    table = pq.read_table(
        files, columns=columns, filters=wanted, schema=STATE, page_checksum_verification=True
    )
    rows: list[dict[str, Any]] = table.sort_by("at").to_pylist()
    return rows


def _folded(rows: Iterable[dict[str, Any]]) -> dict[Ref, Known]:
    return {
        Ref(row["kind"], row["uid"]): Known(
            row["source_updated_at"],
            row["content_hash"],
            row["model_hash"],
            row["code"] if row["outcome"] == Outcome.REFUSED else None,
        )
        for row in rows
    }
