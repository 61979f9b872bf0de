"""JSON text: how columns become JSON by kernels of Arrow, without a Python object a value.

The text is the one that `json.dumps(..., sort_keys=True, ensure_ascii=False,
separators=(",", ":"))` would make: keys in order, nothing but what must be escaped is.
"""

from __future__ import annotations

import json
from itertools import chain, groupby
from json.encoder import encode_basestring

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


# The bytes that a JSON string may not hold as they are; all are ASCII, so that none is
# part of another character in UTF-8.
_ESCAPED = np.zeros(256, bool)
_ESCAPED[[*range(0x20), ord('"'), ord("\\")]] = True

# An escaped NUL, not a backslash before the text `u0000`.
_NUL = r"(^|[^\\])(\\\\)*\\u0000"


def escaped(texts: pa.Array) -> pa.Array:
    """Return texts as they stand between the quotes of a JSON string."""
    rows = _rows_to_escape(texts)
    if not rows.size:
        return texts
    mask = np.zeros(len(texts), bool)
    mask[rows] = True
    written = [text and encode_basestring(text)[1:-1] for text in texts.take(rows).to_pylist()]
    return pc.replace_with_mask(texts, mask, pa.array(written, pa.string()))


def _rows_to_escape(texts: pa.Array) -> npt.NDArray[np.int64]:
    _, offsets, data = texts.buffers()
    if data is None:
        return np.empty(0, np.int64)
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    held = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    places = np.flatnonzero(_ESCAPED[held]) + ends[0]
    rows: npt.NDArray[np.int64] = np.unique(np.searchsorted(ends, places, side="right") - 1)
    return rows


def joined(*parts: pa.Array | str) -> pa.Array:
    """Return the parts of each row one after another; null where a part is."""
    pieces = [[*group] for _, group in groupby(parts, lambda part: isinstance(part, str))]
    together = (["".join(piece)] if isinstance(piece[0], str) else piece for piece in pieces)
    return pc.binary_join_element_wise(*chain.from_iterable(together), "")


def lists(parent: npt.NDArray[np.int64], count: int, keys: pa.Array, items: pa.Array) -> pa.Array:
    """Return the items of each of *count* parents as `[ITEM,…]`, in the order of their keys.

    Args:
        parent: Of each item, the place of its parent.
        count: How many parents there are.
        keys: Of each item. An item with the parent and the key of a later one is left out.
        items: Each as JSON.
    """
    place = parent * (len(keys) + 1) + _ranks(keys)
    order = np.argsort(place, kind="stable")
    place = place[order]
    order = order[np.append(place[1:] != place[:-1], True)] if order.size else order
    ends = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(parent[order], minlength=count), out=ends[1:])
    return joined("[", pc.binary_join(pa.ListArray.from_arrays(ends, items.take(order)), ","), "]")


def _ranks(keys: pa.Array) -> npt.NDArray[np.int64]:
    """Return the place of each key among all keys; there are few different ones."""
    encoded = keys.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    of_keys: npt.NDArray[np.int64] = ranks[encoded.indices.to_numpy()]
    return of_keys


def canonical_geometry(texts: pa.Array) -> pa.Array:
    """Return geometries as text that is equal for equal ones; empty where it can't be read.

    Servers write keys in any order, and 2 for 2.0. Few objects have one, so that these
    are read one by one.
    """
    if texts.null_count == len(texts):
        return texts
    encoded = texts.dictionary_encode()
    written = pa.array([*map(_canonical, encoded.dictionary.to_pylist())], pa.string())
    return written.take(encoded.indices)


def _canonical(text: str) -> str:
    try:
        read = json.loads(text, parse_int=float)
        return json.dumps(
            read, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        )
    except (ValueError, RecursionError):
        return ""


def with_nul(contents: pa.Array) -> pa.Array:
    """Return of each JSON text whether a NUL character is written in it."""
    held = np.frombuffer(contents.buffers()[2] or b"", np.uint8)
    after = held[np.flatnonzero(held[:-1] == ord("\\")) + 1]
    if not (after == ord("u")).any():
        return pa.repeat(pa.scalar(value=False), len(contents))
    return pc.match_substring_regex(contents, _NUL)
