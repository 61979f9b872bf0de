"""The fold: what all the lines about one object come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.outcome import Outcome
from tracker_sync.state_pages import STATE, Wanted, among, lines, texts


# Of two lines about one object the later counts: the later read, then the later written.
# The rest of the order only makes sure that there is one.
ORDER = ("read_at", "at", "run")

# What the functions below look at.
JUDGED_BY = ("outcome", "content_hash")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fold(
    folder: Path, columns: Sequence[str], wanted: Wanted, judged_by: Sequence[str] = ()
) -> dict[Ref, tuple[Any, ...]]:
    """Return the last of the wanted lines of each object.

    Args:
        folder: The state.
        columns: What to return of a line.
        wanted: Says of each line of a table whether it is wanted.
        judged_by: The columns that *wanted* looks at besides.
    """
    found = lines(folder, [*dict.fromkeys(("kind", "uid", *columns, *ORDER))], wanted, judged_by)
    found = found.sort_by([(name, "ascending") for name in ORDER])
    values = zip(*(_values(found[name]) for name in columns), strict=True)
    return dict(zip(refs(found), values, strict=True))


def refs(found: pa.Table) -> Iterator[Ref]:
    """Yield the object of each line."""
    for part in found.to_batches(max_chunksize=50_000):
        yield from map(Ref, _values(part["kind"]), part["uid"].to_pylist())


def is_refused(part: pa.Table) -> pa.ChunkedArray:
    """Whether lines speak of a refusal."""
    return among(part["outcome"], texts([Outcome.REFUSED]))


def lives(part: pa.Table) -> pa.ChunkedArray:
    """Whether lines speak of what the destination holds: with content, stored or unchanged."""
    there = among(part["outcome"], texts([Outcome.STORED, Outcome.UNCHANGED]))
    return pc.and_(there, pc.is_valid(part["content_hash"]))


def is_gone(part: pa.Table) -> pa.ChunkedArray:
    """Whether lines speak of what the source has no more: no content, and no refusal."""
    return pc.and_not(pc.is_null(part["content_hash"]), is_refused(part))


def decides(part: pa.Table) -> pa.ChunkedArray:
    """Whether lines say that an object is followed from then on, or no more."""
    return pc.or_(lives(part), is_gone(part))


def _values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """Return a column's values, equal ones being one object: most columns hold few of them."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = whole.dictionary_encode()
    known = _as_objects(encoded.dictionary)
    return [None if code is None else known[code] for code in encoded.indices.to_pylist()]


def _as_objects(values: pa.Array) -> list[Any]:
    """Return what `to_pylist` does, which for instants would import pandas (`texts`)."""
    if values.type != STATE.field("read_at").type:
        objects: list[Any] = values.to_pylist()
        return objects
    return [_EPOCH + timedelta(microseconds=count) for count in values.cast("int64").to_pylist()]
