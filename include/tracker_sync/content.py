"""The content: what of an object counts when two servers are compared.

Left out: whatever stands below the object, and `completedAt`, which DHIS2 takes
only at the moment of completion and never corrects (measured: Flows).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from dhis2_api.importer import Ref
from tracker_sync.projection import Payload
from tracker_sync.trees import Kind, Tree


# Where an object keeps its values: the list, and the key that names each.
VALUES_KEY: dict[Kind, tuple[str, str]] = {
    "TRACKED_ENTITY": ("attributes", "attribute"),
    "ENROLLMENT": ("attributes", "attribute"),
    "EVENT": ("dataValues", "dataElement"),
}
_NOT_COMPARED = frozenset({"enrollments", "events", "attributes", "dataValues", "completedAt"})


def each_object(tree: Tree) -> Iterator[tuple[Ref, Payload, Ref | None]]:
    """Yield what lives of a tree, parents first: each object alone, and what it belongs to.

    Alone, an object names its parent by UID, as DHIS2 takes it in a flat request.
    """
    if not tree.payload:
        return
    top = Ref(tree.kind, tree.uid)
    yield top, _alone(tree.kind, tree.payload), None
    for enrollment in tree.payload.get("enrollments", []):
        middle = Ref("ENROLLMENT", enrollment["enrollment"])
        yield middle, _alone("ENROLLMENT", enrollment, trackedEntity=top.uid), top
        for event in enrollment["events"]:
            ref = Ref("EVENT", event["event"])
            yield ref, _alone("EVENT", event, enrollment=middle.uid), middle


def _alone(kind: Kind, payload: Payload, **above: str) -> Payload:
    name, _ = VALUES_KEY[kind]
    completion = {"completedAt": payload["completedAt"]} if "completedAt" in payload else {}
    return {**scalars(payload), **above, **completion, name: payload[name]}


def scalars(payload: Payload) -> Payload:
    """Return the fields of an object that are compared, but for its values."""
    return {key: value for key, value in payload.items() if key not in _NOT_COMPARED}


def values(kind: Kind, payload: Payload) -> dict[str, Payload]:
    """Return the values of an object, by attribute or data element."""
    name, key = VALUES_KEY[kind]
    return {item[key]: item for item in payload.get(name, [])}


def content_hash(kind: Kind, payload: Payload) -> str:
    """Return a hash that differs whenever the content differs; order doesn't count."""
    held = values(kind, payload)
    content: list[Any] = [scalars(payload), [held[key] for key in sorted(held)]]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
