"""The bundles: one row a person or lone event, with its payload and what that was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from tracker_sync.trees import Tree, Version


# One object, as `objects.Object` has it; its parent is of the kind above its own.
OBJECT = pa.struct(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("parent", pa.string()),
        ("updated_at", pa.timestamp("ms")),
        ("deleted", pa.bool_()),
        ("content", pa.string()),
        ("completed_at", pa.string()),
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
        ("payload", pa.large_string()),  # import JSON, nested
        ("bytes", pa.int64()),  # its length
        (
            "versions",
            pa.list_(
                pa.struct(
                    [
                        ("kind", pa.string()),
                        ("uid", pa.string()),
                        ("updated_at", pa.timestamp("ms")),
                        ("deleted", pa.bool_()),
                    ]
                )
            ),
        ),
        ("objects", pa.list_(OBJECT)),
    ]
)

# What `objects.as_bundles` makes: all of it but the payload as a whole.
ROWS = pa.schema(field for field in BUNDLES if field.name not in ("payload", "versions"))

Row = Mapping[str, Any]


def as_bundles(trees: Iterable[Tree]) -> pa.Table:
    """Return trees as rows of `BUNDLES`."""
    return pa.Table.from_pylist([_row(tree) for tree in trees], schema=BUNDLES)


def as_tree(row: Row) -> Tree:
    """Return a row of `BUNDLES` as the tree it was."""
    versions = tuple(Version(**version) for version in row["versions"])
    return Tree(row["uid"], json.loads(row["payload"]), versions, row["program"])


def _row(tree: Tree) -> Row:
    payload = json.dumps(tree.payload, ensure_ascii=False, separators=(",", ":"))
    versions = [
        {"kind": v.kind, "uid": v.uid, "updated_at": v.updated_at, "deleted": v.deleted}
        for v in tree.versions
    ]
    return {
        "kind": tree.kind,
        "uid": tree.uid,
        "tracked_entity": tree.tracked_entity,
        "program": tree.program,
        "payload": payload,
        "bytes": len(payload.encode()),
        "versions": versions,
    }
