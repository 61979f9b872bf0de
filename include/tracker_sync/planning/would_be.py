"""The would-be: what a dry run would do to an object, as a line of the ledger and of its plan."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracker_sync.deletions.waiting import WAITING
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import publishing


DRY_RUN = "SYNC_DRY_RUN"

#: One row an object that would be sent, deleted or held; UIDs and names of fields, never a value.
PLANNED = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("tracked_entity", pa.string()),  # null where it belongs to nobody
        ("action", pa.string()),  # in the words of docs/plan.md
        ("code", pa.string()),  # why it would be held
        ("fields", pa.list_(pa.string())),  # what differs: names, and UIDs of values
        ("cleared", pa.list_(pa.string())),  # UIDs of values that would be emptied
    ]
)

# Kind, and action in the ledger -> what people call that.
_WORDS = {
    ("FILE", "created"): "uploaded",
    ("NOTE", "created"): "added",
    ("OWNER", "changed"): "transferred",
    ("RELATIONSHIP", "created"): "related",
    ("RELATIONSHIP", "deleted"): "unrelated",
}

_log = logging.getLogger(__name__)


def would_be(line: Entry, action: str) -> Entry:
    """Return the line of an object that only a dry run keeps from being created, say."""
    held = line.but(outcome=Outcome.HELD, code=DRY_RUN, action=action)
    return held.but(known=False, sent=False)


def unsent(line: Entry) -> Entry:
    """Return the line of an object that would have been sent; any other as it is."""
    return would_be(line, line.action or "created") if line.sent else line


def planned_rows(lines: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Yield rows of `PLANNED`, without fields: what would be done, or held by a policy."""
    for line in lines:
        row = {"kind": line.ref.kind, "uid": line.ref.uid, "tracked_entity": line.tracked_entity}
        if line.code == DRY_RUN:
            action = _WORDS.get((line.ref.kind, line.action or ""), line.action)
            yield {**row, "action": action, "fields": [], "cleared": []}
        elif line.outcome is Outcome.HELD and line.code in WAITING:
            yield {**row, "action": "held", "code": line.code, "fields": [], "cleared": []}


def write_planned(to: Path, batches: Iterable[list[dict[str, Any]]]) -> None:
    """Write rows of `PLANNED` to the file *to* as they come, and tell how many they are."""
    counts: Counter[str] = Counter()
    with publishing(to) as draft, pq.ParquetWriter(draft, PLANNED) as file:
        for rows in batches:
            file.write_table(pa.Table.from_pylist(rows, schema=PLANNED))
            counts.update(map(_told, rows))
    for what, count in sorted(counts.items()):
        _log.info("dry run: %s %s", count, what)


def _told(row: dict[str, Any]) -> str:
    reason = f", {row['code']}" if row.get("code") else ""
    return f"{row['kind']} would be {row['action']}{reason}"
