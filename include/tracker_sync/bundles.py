"""The bundles: one row a person, holding the payload and the versions it was made from."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pyarrow as pa

from tracker_sync.trees import Tree, Version


BUNDLES = pa.schema(
    [
        ("tracked_entity", pa.string()),
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
    ]
)


def as_bundles(trees: Iterable[Tree]) -> pa.Table:
    """Return trees as rows of `BUNDLES`."""
    return pa.Table.from_pylist([_row(tree) for tree in trees], schema=BUNDLES)


def as_trees(bundles: pa.Table) -> list[Tree]:
    """Return rows of `BUNDLES` as the trees they were."""
    return [
        Tree(
            row["tracked_entity"],
            json.loads(row["payload"]),
            tuple(Version(**version) for version in row["versions"]),
        )
        for row in bundles.to_pylist()
    ]


def _row(tree: Tree) -> dict[str, object]:
    payload = json.dumps(tree.payload, ensure_ascii=False, separators=(",", ":"))
    versions = [
        {"kind": v.kind, "uid": v.uid, "updated_at": v.updated_at, "deleted": v.deleted}
        for v in tree.versions
    ]
    return {
        "tracked_entity": tree.uid,
        "payload": payload,
        "bytes": len(payload.encode()),
        "versions": versions,
    }
