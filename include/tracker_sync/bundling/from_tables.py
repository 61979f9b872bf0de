"""Bundling: how staged tables become bundles, a row a person or lone event."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.import_report import KEYS
from tracker_sync.bundling.bundles import BUNDLES, OBJECT
from tracker_sync.bundling.file_attributes import at_persons
from tracker_sync.bundling.flat_json import enrollment_texts, event_texts, person_texts
from tracker_sync.bundling.json_text import escaped, joined, with_nul
from tracker_sync.bundling.living_rows import living_rows
from tracker_sync.bundling.not_happened import part
from tracker_sync.bundling.projection import COMPLETED, Projection
from tracker_sync.staging.columns import Places, column, places
from tracker_sync.staging.tables import Tables


NUL = "SYNC_NUL_CHARACTER"
GEOMETRY = "SYNC_GEOMETRY_UNREADABLE"


def as_bundles(tables: Tables, projection: Projection) -> pa.Table:
    """Return the people of a closed set of tables, then its lone events, as rows of `BUNDLES`.

    Both servers are read through this, so that comparing them is comparing texts. An
    object that came twice is there once, as its newest stamp has it.

    Raises:
        ValueError: Something belongs to nobody in the tables.
    """
    people, enrollments, events = living_rows(tables)
    attributes = at_persons(tables["attributes"], projection.files)
    values = tables["data_values"]
    parts = {
        "TRACKED_ENTITY": (people, person_texts(people, attributes, projection)),
        "ENROLLMENT": (enrollments, enrollment_texts(enrollments, attributes, projection)),
        "EVENT": (events, event_texts(events, part(events, values).kept, projection)),
    }
    objects = pa.concat_tables([_objects(kind, *part) for kind, part in parts.items()])
    objects = objects.combine_chunks()
    return _by_root(objects, _roots(people, enrollments, events), people, events)


_ABOVE = {"ENROLLMENT": "trackedEntity", "EVENT": "enrollment"}
_NO_TEXT = pa.scalar(None, pa.string())


def _objects(kind: str, rows: pa.Table, texts: pa.Array) -> pa.Table:
    """Return rows of `OBJECT`."""
    codes = _codes(rows, texts)
    lives = pc.and_(pc.is_null(codes), pc.invert(column(rows, "deleted")))
    texts = texts if lives.true_count == len(rows) else pc.if_else(lives, texts, _NO_TEXT)
    columns = {
        "kind": pa.repeat(kind, len(rows)),
        "uid": rows[KEYS[kind]],
        "parent": rows[_ABOVE[kind]] if kind in _ABOVE else pa.nulls(len(rows), pa.string()),
        "updated_at": rows["updatedAt"],
        "deleted": rows["deleted"],
        "content": texts,
        "beside": _beside(kind, rows, lives),
        "content_hash": _hashes(texts),
        "code": codes,
    }
    return pa.table(columns, schema=pa.schema(OBJECT))


def _codes(rows: pa.Table, texts: pa.Array) -> pa.Array:
    """Return why an object that lives can't be sent; nothing where it can."""
    unreadable = pc.fill_null(pc.equal(column(rows, "geometry"), ""), fill_value=False)
    codes = pc.if_else(unreadable, GEOMETRY, pc.if_else(with_nul(texts), NUL, _NO_TEXT))
    return pc.if_else(column(rows, "deleted"), _NO_TEXT, codes)


def _beside(kind: str, rows: pa.Table, lives: pa.Array) -> pa.Array:
    """Return what is sent of each that lives beside its text; see `objects.Object`."""
    author = joined('"storedBy":"', escaped(column(rows, "storedBy")), '"')
    if kind in COMPLETED:
        accepted = pc.is_in(column(rows, "status"), value_set=pa.array(COMPLETED[kind]))
        stamps = pc.if_else(accepted, column(rows, "completedAt"), _NO_TEXT)
        stamps = joined('"completedAt":"', escaped(stamps), '"')
        author = pc.coalesce(joined(stamps, ",", author), stamps, author)
    return author if lives.true_count == len(rows) else pc.if_else(lives, author, _NO_TEXT)


def _hashes(texts: pa.Array) -> pa.Array:
    """Return what tells one text from another in 32 characters."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[: len(texts) + 1].tolist() if len(texts) else []
    held = memoryview(data or b"")
    hashes = b"".join([sha256(held[start:stop]).digest()[:16] for start, stop in pairwise(ends)])
    places = pa.array(np.arange(len(texts) + 1, dtype=np.int32) * 32)
    written = pa.StringArray.from_buffers(
        len(texts), places.buffers()[1], pa.py_buffer(hashes.hex().encode())
    )
    return pc.if_else(pc.is_valid(texts), written, _NO_TEXT)


def _roots(people: pa.Table, enrollments: pa.Table, events: pa.Table) -> Places:
    """Return of each object the row of its person, or of itself: lone events come last."""
    alone = column(events, "trackedEntity").is_null().to_numpy(zero_copy_only=False)
    of_events = np.empty(len(events), np.int64)
    of_events[alone] = len(people) + np.arange(alone.sum())
    of_events[~alone] = places(events.filter(~alone), people, "trackedEntity")
    of_enrollments = places(enrollments, people, "trackedEntity")
    return np.concatenate([np.arange(len(people)), of_enrollments, of_events])


def _by_root(objects: pa.Table, roots: Places, people: pa.Table, events: pa.Table) -> pa.Table:
    lone = events.filter(pc.is_null(events["trackedEntity"]))
    uids = pa.concat_arrays([column(people, "trackedEntity"), column(lone, "event")])
    persons, alone = len(people), len(lone)
    sizes = pc.fill_null(pc.binary_length(column(objects, "content")), 0).to_numpy()
    ends = np.zeros(len(uids) + 1, np.int32)
    np.cumsum(np.bincount(roots, minlength=len(uids)), out=ends[1:])
    sorted_ = objects.take(np.argsort(roots, kind="stable")).combine_chunks()
    columns = {
        "kind": pa.array(["TRACKED_ENTITY"] * persons + ["EVENT"] * alone, pa.string()),
        "uid": uids,
        "tracked_entity": pa.concat_arrays([uids[:persons], pa.nulls(alone, pa.string())]),
        "program": pa.concat_arrays([pa.repeat("", persons), column(lone, "program")]),
        "bytes": np.bincount(roots, sizes, len(uids)).astype(np.int64),
        "objects": pa.ListArray.from_arrays(ends, sorted_.to_struct_array().combine_chunks()),
    }
    return pa.table(columns, schema=BUNDLES)
