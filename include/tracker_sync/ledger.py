"""The ledger: what became of every object of a slice, as one Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.sealed import check_seal, write_sealed


# One row an object that was read, or that should have been. No value of a patient.
LEDGER = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("tracked_entity", pa.string()),
        ("outcome", pa.string()),
        ("action", pa.string()),
        ("code", pa.string()),
        ("known", pa.bool_()),
        ("sent", pa.bool_()),
        ("source_updated_at", pa.timestamp("ms")),
        ("content_hash", pa.string()),
        ("destination_updated_at", pa.timestamp("ms")),
        ("destination_uid", pa.string()),
    ]
)


def write_ledger(path: Path, entries: Iterable[Entry]) -> None:
    """Write a slice's ledger in one step."""
    write_sealed(path, as_table(entries))


def read_ledger(path: Path) -> Sequence[Entry]:
    """Return the lines of a ledger.

    Raises:
        BrokenSeal: It is not what was written.
    """
    check_seal(path, "clear the slice's `load`")
    table = pq.read_table(path, page_checksum_verification=True)
    return [
        Entry(
            Ref(row["kind"], row["uid"]),
            row["tracked_entity"],
            Outcome(row["outcome"]),
            row["action"],
            row["code"],
            row["known"],
            row["sent"],
            row["source_updated_at"],
            row["content_hash"],
            row["destination_updated_at"],
            row["destination_uid"],
        )
        for row in table.to_pylist()
    ]


def as_table(entries: Iterable[Entry]) -> pa.Table:
    """Return ledger lines as a table of `LEDGER`."""
    rows = [
        {
            "kind": entry.ref.kind,
            "uid": entry.ref.uid,
            "tracked_entity": entry.tracked_entity,
            "outcome": str(entry.outcome),
            "action": entry.action,
            "code": entry.code,
            "known": entry.known,
            "sent": entry.sent,
            "source_updated_at": entry.updated_at,
            "content_hash": entry.content_hash,
            "destination_updated_at": entry.destination_updated_at,
            "destination_uid": entry.destination_uid,
        }
        for entry in entries
    ]
    return pa.Table.from_pylist(rows, schema=LEDGER)
