"""The dry run: what would be sent, written down by UID and field, and nothing sent."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracker_sync.destination import Destination
from tracker_sync.difference import VALUES_KEY, values
from tracker_sync.ledger import LEDGER, as_table
from tracker_sync.loading import plan_batch, unsent
from tracker_sync.objects import Tree
from tracker_sync.plan import Past, Planned
from tracker_sync.publish import publishing


#: One row an object that would be sent; UIDs and names of fields, never a value.
PLANNED = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("tracked_entity", pa.string()),  # null for an event without registration
        ("action", pa.string()),  # created or changed
        ("fields", pa.list_(pa.string())),  # what differs: names, and UIDs of values
        ("cleared", pa.list_(pa.string())),  # UIDs of values that would be emptied
    ]
)

_log = logging.getLogger(__name__)


def dry_run(
    destination: Destination, batches: Iterable[Sequence[Tree]], past: Past, to: Path
) -> pa.Table:
    """Plan all batches, write to the file *to* what would be sent, and return rows of `LEDGER`.

    Raises:
        TransientError: The destination did not answer.
    """
    lines = [LEDGER.empty_table()]
    counts: Counter[str] = Counter()
    with publishing(to) as draft, pq.ParquetWriter(draft, PLANNED) as file:
        for trees in batches:
            planned = plan_batch(destination, trees, past)
            rows = [_row(item) for item in planned if item.text is not None]
            file.write_table(pa.Table.from_pylist(rows, schema=PLANNED))
            counts.update(f"{row['kind']} would be {row['action']}" for row in rows)
            lines.append(as_table(unsent(item.entry) for item in planned))
    for what, count in sorted(counts.items()):
        _log.info("dry run: %s %s", count, what)
    return pa.concat_tables(lines)


def _row(item: Planned) -> dict[str, Any]:
    entry = item.entry
    ours = json.loads(item.text or "{}")
    theirs = json.loads(item.held.content or "{}") if item.held else {}
    mine, held = values(entry.ref.kind, ours), values(entry.ref.kind, theirs)
    cleared = sorted(uid for uid in mine if mine[uid]["value"] is None)
    changed = sorted(uid for uid in mine.keys() - cleared if mine[uid] != held.get(uid))
    return {
        "kind": entry.ref.kind,
        "uid": entry.ref.uid,
        "tracked_entity": entry.tracked_entity,
        "action": entry.action,
        "fields": [*_scalars(entry.ref.kind, ours, theirs), *changed],
        "cleared": cleared,
    }


def _scalars(kind: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the fields that differ, but for the values and what isn't compared."""
    left_out = {VALUES_KEY[kind][0], "completedAt"}
    for name in sorted((ours.keys() | theirs.keys()) - left_out):
        if ours.get(name) != theirs.get(name):
            yield name
