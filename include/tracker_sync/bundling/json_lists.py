"""JSON lists: how the values of objects become the list that each object has of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.bundling.json_text import escaped, joined
from tracker_sync.staging.columns import Places


@dataclass(frozen=True, slots=True)
class Values:
    """Values of many objects, in any order.

    Attributes:
        parents: Of each, the place of its object.
        keys: Of each, what it is a value of; there are few different ones.
        texts: Of each, the value.
        name: What the key is called.
        flag: What a flag is called that comes between the two; nothing if there is none.
        flags: The flag of each.
    """

    parents: Places
    keys: pa.Array
    texts: pa.Array
    name: str
    flag: str = ""
    flags: npt.NDArray[np.bool_] | None = None


def items_of_each(values: Values, count: int) -> pa.Array:
    """Return what stands between the brackets of each object's list, in the order of the keys.

    Of two values that one object has of one key, the later is taken.
    """
    if not len(values.keys):
        return pa.repeat("", count)
    encoded = values.keys.dictionary_encode()
    order, first = _in_order(values.parents, _ranks(encoded), len(encoded.dictionary))
    variants = 4 * encoded.indices.to_numpy().astype(np.int64)[order] + ~first
    if values.flags is not None:
        variants += 2 * values.flags[order]
    heads = pa.array(_heads(values, encoded.dictionary), pa.string()).take(pa.array(variants))
    items = joined(heads, escaped(values.texts).take(pa.array(order)), '"}')
    ends = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(values.parents[order], minlength=count), out=ends[1:])
    # The items of an object stand side by side in memory: the list is that piece of it.
    _, offsets, data = items.buffers()
    pieces = np.frombuffer(offsets, np.int32)[ends]
    return pa.StringArray.from_buffers(count, pa.py_buffer(pieces), data)


def _ranks(encoded: pa.DictionaryArray) -> Places:
    """Return the place of each key among all keys."""
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    of_keys: Places = ranks[encoded.indices.to_numpy()]
    return of_keys


def _in_order(parents: Places, ranks: Places, keys: int) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Return in which order the values stand, and which of them is the first of its object."""
    count = len(parents)
    # Sorting numbers that hold their own place is several times faster than sorting places.
    places = (parents * keys + ranks) * count + np.arange(count)
    places.sort()
    keyed = places // count
    last = np.append(keyed[1:] != keyed[:-1], True)
    order = places[last] % count
    owners = parents[order]
    return order, np.append(True, owners[1:] != owners[:-1])


def _heads(values: Values, keys: pa.Array) -> Iterator[str]:
    """Yield what may stand before a value: for each key four, by flag and place in the list."""
    for key in escaped(keys).to_pylist():
        for flag in ("false", "true"):
            named = f',"{values.flag}":{flag}' if values.flag else ""
            for comma in ("", ","):
                yield f'{comma}{{"{values.name}":"{key}"{named},"value":"'
