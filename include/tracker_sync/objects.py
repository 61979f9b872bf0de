"""The objects: what was read of either server, one by one, ready to be compared as texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa

from dhis2_api.importer import Ref
from tracker_sync.bundling import as_bundles


__all__ = ["Object", "Tree", "as_bundles", "payload", "trees_of"]


class Object(NamedTuple):
    """One object as it was read, without what stands below it.

    A tuple, because there are so many.

    Attributes:
        ref: What it is.
        parent: What it belongs to; nothing above a person or a lone event.
        updated_at: The server's stamp, as the server's zone-less clock gave it.
        deleted: Whether it is a tombstone, or stands below one.
        content: What of it is sent and compared, as flat import JSON: two objects are equal
            if, and only if, their texts are. Nothing of a tombstone, nor of what is refused.
        completed_at: When it was completed, where its status lets that be sent. Never
            compared: DHIS2 takes it at the moment of completion and never corrects it
            (measured: Flows).
        content_hash: A hash of `content`.
        code: Why it can't be sent at all: a code of `docs/codes.md`.
    """

    ref: Ref
    parent: Ref | None
    updated_at: datetime
    deleted: bool
    content: str | None
    completed_at: str | None
    content_hash: str | None
    code: str | None = None

    def __repr__(self) -> str:
        """Return what it is, and nothing that it says of a patient."""
        return f"Object({self.ref}, code={self.code})"


@dataclass(frozen=True, slots=True)
class Tree:
    """One person with all below, or one event without registration.

    Attributes:
        kind: What the root is.
        uid: The tracked entity, or the event.
        tracked_entity: The person all of it belongs to; nobody for a lone event.
        program: The program without registration of an event; empty for a person.
        bytes: How long all contents are together.
        objects: Each object once, parents first.
    """

    kind: str
    uid: str
    tracked_entity: str | None
    program: str
    bytes: int
    objects: tuple[Object, ...]


_PARENT = {"ENROLLMENT": "TRACKED_ENTITY", "EVENT": "ENROLLMENT"}


def trees_of(bundles: pa.Table) -> Iterator[Tree]:
    """Yield the rows of a table of `bundles.BUNDLES` as trees, in their order."""
    bundles = bundles.combine_chunks()
    nested = bundles["objects"].combine_chunks()
    objects = _objects(nested.flatten())
    counts = nested.value_lengths().to_pylist()
    names = ("kind", "uid", "tracked_entity", "program", "bytes")
    for count, *row in zip(counts, *_lists(bundles, names), strict=True):
        kind, uid, tracked_entity, program, size = row
        below = tuple(islice(objects, count))
        yield Tree(kind, uid, tracked_entity, program, size, below)


def payload(item: Object) -> dict[str, Any]:
    """Return what is sent of an object that lives and isn't refused."""
    content: dict[str, Any] = json.loads(item.content or "{}")
    return content | ({"completedAt": item.completed_at} if item.completed_at else {})


# The class itself, called with each field by Python code, takes twice as long.
_REF: Callable[[Iterable[Any]], Ref] = partial(tuple.__new__, Ref)
_OBJECT: Callable[[Iterable[Any]], Object] = partial(tuple.__new__, Object)


def _objects(rows: pa.StructArray) -> Iterator[Object]:
    columns = pa.Table.from_struct_array(rows)
    stamps = columns["updated_at"].to_numpy().astype("datetime64[us]").tolist()
    kinds, uids, parents = _lists(columns, ("kind", "uid", "parent"))
    refs = map(_REF, zip(kinds, uids, strict=True))
    above = (
        _REF((_PARENT[kind], parent)) if parent else None
        for kind, parent in zip(kinds, parents, strict=True)
    )
    own = _lists(columns, ("deleted", "content", "completed_at", "content_hash", "code"))
    return map(_OBJECT, zip(refs, above, stamps, *own, strict=True))


def _lists(table: pa.Table, names: tuple[str, ...]) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]
