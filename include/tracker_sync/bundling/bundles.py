"""The bundles: one row a person or lone event, with each object ready to compare and to send."""

from __future__ import annotations

import pyarrow as pa


# One object, as `objects.Object` has it; its parent is of the kind above its own.
OBJECT = pa.struct(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("parent", pa.string()),
        ("updated_at", pa.timestamp("ms")),
        ("deleted", pa.bool_()),
        ("content", pa.string()),
        ("beside", pa.string()),
        ("content_hash", pa.string()),
        ("code", pa.string()),
    ]
)

BUNDLES = pa.schema(
    [
        ("kind", pa.string()),  # of the root
        ("uid", pa.string()),  # of the root
        ("tracked_entity", pa.string()),  # null for an event without registration
        ("program", pa.string()),  # of such an event; empty for a person
        ("bytes", pa.int64()),  # how long all contents are together
        ("objects", pa.list_(OBJECT)),  # parents first
    ]
)
