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


def _rows_to_escape(texts: pa.Array) -> npt.NDArray[np.intp]:
    _, offsets, data = texts.buffers()
    if data is None:
        return np.empty(0, np.intp)
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    held = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    # All of these are ASCII, so that none is part of another character in UTF-8.
    places = np.flatnonzero((held < ord(" ")) | (held == ord('"')) | (held == ord("\\")))
    if not places.size:
        return places
    rows: npt.NDArray[np.intp] = np.searchsorted(ends, places + ends[0], side="right") - 1
    once: npt.NDArray[np.intp] = rows[np.append(True, rows[1:] != rows[:-1])]
    return once


def joined(*parts: pa.Array | str) -> pa.Array:
    """Return the parts of each row one after another; null where a part is."""
    pieces = [[*group] for _, group in groupby(parts, lambda part: isinstance(part, str))]
    together = (["".join(piece)] if isinstance(piece[0], str) else piece for piece in pieces)
    return pc.binary_join_element_wise(*chain.from_iterable(together), "")


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
