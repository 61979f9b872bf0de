"""The objects: what was read of either server, one by one, ready to be compared as texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, overload

import pyarrow as pa

from dhis2_api.importer import Ref
from tracker_sync.bundling.bundles import OBJECT
from tracker_sync.bundling.from_tables import as_bundles


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
        beside: What is sent besides, as JSON members, and never compared: when it was
            completed, where its status lets that be sent, which DHIS2 takes at the moment of
            completion and never corrects (measured: Flows); and who stored it, which from
            2.43 on is the importing account (tracker-api 4).
        content_hash: A hash of `content`.
        code: Why it can't be sent at all: a code of `docs/codes.md`.
    """

    ref: Ref
    parent: Ref | None
    updated_at: datetime
    deleted: bool
    content: str | None
    beside: str | None
    content_hash: str | None
    code: str | None = None

    def __repr__(self) -> str:
        """Return what it is, and nothing that it says of a patient."""
        return f"Object({self.ref}, code={self.code})"


@dataclass(slots=True, eq=False)
class _Group:
    rows: pa.StructArray
    made: tuple[Object, ...] | None = None

    def objects(self) -> tuple[Object, ...]:
        self.made = self.made or tuple(_objects(self.rows))
        return self.made


@dataclass(frozen=True, slots=True, eq=False)
class Rows(Sequence[Object]):
    """The objects of one tree, which become objects only once somebody looks at them.

    Attributes:
        group: The objects of several trees, as rows of `bundles.OBJECT`.
        start: Where its own begin among them.
        stop: Where they end.
    """

    group: _Group
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    @overload
    def __getitem__(self, place: int) -> Object: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Object, ...]: ...
    def __getitem__(self, place: int | slice) -> Object | tuple[Object, ...]:
        return self.group.objects()[self.start : self.stop][place]

    def __iter__(self) -> Iterator[Object]:
        return iter(self[:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self[:] == tuple(other)

    def __hash__(self) -> int:
        return hash(self[:])


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
    objects: Sequence[Object]


_PARENT = {"ENROLLMENT": "TRACKED_ENTITY", "EVENT": "ENROLLMENT"}


def trees_of(bundles: pa.Table) -> Iterator[Tree]:
    """Yield the rows of a table of `bundles.BUNDLES` as trees, in their order."""
    bundles = bundles.combine_chunks()
    nested = bundles["objects"].combine_chunks()
    group = _Group(nested.flatten())
    ends = accumulate(nested.value_lengths().to_pylist(), initial=0)
    names = ("kind", "uid", "tracked_entity", "program", "bytes")
    for places, *row in zip(pairwise(ends), *_lists(bundles, names), strict=True):
        kind, uid, tracked_entity, program, size = row
        yield Tree(kind, uid, tracked_entity, program, size, Rows(group, *places))


def rows_of(trees: Iterable[Tree]) -> pa.Table | None:
    """Return the objects of trees as rows of `bundles.OBJECT`; nothing if one was changed."""
    runs: list[Rows] = []
    for tree in trees:
        own = tree.objects
        if not isinstance(own, Rows):
            return None
        if runs and (runs[-1].group, runs[-1].stop) == (own.group, own.start):
            runs[-1] = replace(runs[-1], stop=own.stop)
        else:
            runs.append(own)
    parts = (run.group.rows[run.start : run.stop] for run in runs)
    return pa.Table.from_batches([*map(pa.RecordBatch.from_struct_array, parts)], pa.schema(OBJECT))


def payload(item: Object) -> dict[str, Any]:
    """Return what is sent of an object that lives and isn't refused."""
    content: dict[str, Any] = json.loads(item.content or "{}")
    beside: dict[str, Any] = json.loads(f"{{{item.beside or ''}}}")
    return content | beside


# The class itself, called with each field by Python code, takes twice as long.
_REF: Callable[[Iterable[Any]], Ref] = partial(tuple.__new__, Ref)
_OBJECT: Callable[[Iterable[Any]], Object] = partial(tuple.__new__, Object)


def _objects(rows: pa.StructArray) -> Iterator[Object]:
    columns = pa.Table.from_struct_array(rows)
    kinds, parents = _lists(columns, ("kind", "parent"))
    above = (
        _REF((_PARENT[kind], parent)) if parent else None
        for kind, parent in zip(kinds, parents, strict=True)
    )
    own = _lists(columns, ("deleted", "content", "beside", "content_hash", "code"))
    known = (refs_of_rows(columns), above, stamps_of_rows(columns))
    return map(_OBJECT, zip(*known, *own, strict=True))


def refs_of_rows(rows: pa.Table) -> Iterator[Ref]:
    """Return what each row of `bundles.OBJECT` is."""
    return map(_REF, zip(*_lists(rows, ("kind", "uid")), strict=True))


def stamps_of_rows(rows: pa.Table) -> list[datetime]:
    """Return the `updated_at` of each row."""
    stamps: list[datetime] = rows["updated_at"].to_numpy().astype("datetime64[us]").tolist()
    return stamps


def _lists(table: pa.Table, names: tuple[str, ...]) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]
