"""The levels: what is an object that a server gave nested, and what stands below it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dhis2_api.importer import Ref


Row = Mapping[str, Any]


class Level(NamedTuple):
    """A nested object.

    Attributes:
        key: The key of its UID.
        ref: What it is.
        below: The objects that stand below it, likewise nested.
    """

    key: str
    ref: Ref
    below: Sequence[Row]


# The key of an object's UID -> its kind, and where what stands below it is.
_LEVELS: Mapping[str, tuple[str, str]] = {
    "trackedEntity": ("TRACKED_ENTITY", "enrollments"),
    "enrollment": ("ENROLLMENT", "events"),
    "event": ("EVENT", ""),
}


def level_of(row: Row) -> Level:
    """Return what a row is, by the highest UID that it names."""
    key = next(name for name in _LEVELS if name in row)
    kind, below = _LEVELS[key]
    return Level(key, Ref(kind, row[key]), row.get(below) or ())
