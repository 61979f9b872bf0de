"""The merging: what is sent for an object that the destination has already?"""

from __future__ import annotations

from collections.abc import Collection

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.canonical import identity, numbered, sendable
from tracker_sync.metadata.classes import NUMBERED
from tracker_sync.metadata.portion import LEFT_OUT
from tracker_sync.metadata.sides import Sides
from tracker_sync.metadata.versions import filled, known_part


_SAME_VERSIONS = Sides()


def new(plural: str, ours: Fields, sides: Sides = _SAME_VERSIONS) -> Fields:
    """Return our object as it is sent to a destination that has none."""
    return filled(
        plural, known_part(plural, sendable(ours), sides.unknown_there), sides.destination
    )


def as_it_stands(fields: Fields) -> Fields:
    """Return an object as its own server takes it back, with its sharing."""
    sharing = {"sharing": fields["sharing"]} if "sharing" in fields else {}
    return {**sendable(fields), **sharing}


def merged(plural: str, ours: Fields, theirs: Fields, sides: Sides = _SAME_VERSIONS) -> Fields:
    """Return our object with what the destination's has beyond it, ready to be sent.

    An import replaces an object whole (metadata 2.3). So members of its lists,
    such as org-unit assignments, that are not ours are sent along, unless the
    destination is to be a mirror; so are its sharing (metadata 2.4), its version, because
    only an equal one is counted up (2.10), the fields that are never ours, and those that
    the source's version does not know.
    """
    unknown = sides.unknown_here
    kept = {*NUMBERED.get(plural, ()), *LEFT_OUT, *unknown.get(plural, ()), "sharing"}
    result = known_part(plural, sendable(ours), sides.unknown_there)
    for name, value in sendable(theirs).items():
        if isinstance(value, list):
            mine = _rows(result.get(name) or [], value, name, unknown.get(name, ()))
            extra = _beyond(name, value, sides)
            result[name] = numbered(name, _joined(name, mine, value, extra))
    result |= {name: theirs[name] for name in kept & theirs.keys()}
    return filled(plural, result, sides.destination, theirs.get("shortName"))


def _beyond(name: str, theirs: list[Json], sides: Sides) -> frozenset[str]:
    """Return the names of those members of a list that may stay though we lack them."""
    named = frozenset(uid for item in theirs if (uid := identity(name, item)))
    if not sides.mirror:
        return named
    return named - sides.reached if name == "organisationUnits" else frozenset()


def _rows(ours: list[Json], theirs: list[Json], name: str, unknown: Collection[str]) -> list[Json]:
    """Return our rows with what the source's version does not know of them."""
    if not unknown:
        return ours
    there = {identity(name, row): row for row in theirs}
    return [row | _only(there.get(identity(name, row), {}), unknown) for row in ours]


def _only(row: Fields, names: Collection[str]) -> Fields:
    return {name: row[name] for name in names if name in row}


def _joined(name: str, ours: list[Json], theirs: list[Json], extra: frozenset[str]) -> list[Json]:
    mine = {identity(name, item): item for item in ours}
    present = {identity(name, item): item for item in theirs}
    if None in mine or None in present:
        return ours  # nothing names its items, so the list is one value
    kept = {
        uid: mine.get(uid, item) for uid, item in present.items() if uid in mine or uid in extra
    }
    if list(mine) == [uid for uid in kept if uid in mine]:
        return [*kept.values()]
    return [*ours, *(item for uid, item in kept.items() if uid not in mine)]
