"""The difference: what would the destination gain, object by object?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.canonical import canonical, identity, numbered, sendable
from tracker_sync.metadata.classes import NUMBERED, Objects
from tracker_sync.metadata.portion import LEFT_OUT


@dataclass(frozen=True, slots=True)
class Change:
    """One object that the destination lacks or holds otherwise.

    Attributes:
        plural: Its class.
        uid: Its UID.
        fields: The fields that differ; empty for a new object.
        payload: The object as it is to be sent, with all that the destination has beyond.
    """

    plural: str
    uid: str
    fields: tuple[str, ...]
    payload: Fields

    @property
    def is_new(self) -> bool:
        """Whether the destination has no such object."""
        return not self.fields

    def __str__(self) -> str:
        return f"{self.uid} ({', '.join(self.fields) or 'new'})"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many objects of a class are new, changed and the same."""

    new: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class Difference:
    """All objects of the closure, against the destination.

    Attributes:
        changes: What is new or changed.
        counts: By class.
    """

    changes: tuple[Change, ...]
    counts: Mapping[str, Counts]


def difference(ours: Objects, theirs: Objects) -> Difference:
    """Compare the source's closure with what the destination has of it.

    Objects that only the destination has are not looked at, and neither are the
    members of a list that only it has: they stay.
    """
    found = {plural: _class(plural, ours[plural], theirs.get(plural, {})) for plural in ours}
    counts = {plural: _counts(changes, len(ours[plural])) for plural, changes in found.items()}
    return Difference(tuple(change for changes in found.values() for change in changes), counts)


def merged(plural: str, ours: Fields, theirs: Fields) -> Fields:
    """Return our object with what the destination's has beyond it, ready to be sent.

    An import replaces an object whole (metadata 2.3). So members of its lists,
    such as org-unit assignments, that are not ours are sent along; so are its sharing
    (metadata 2.4), its version, because only an equal one is counted up (2.10), and
    the fields that are never ours.
    """
    kept = NUMBERED.get(plural, frozenset()) | LEFT_OUT | {"sharing"}
    result = sendable(ours)
    for name, value in sendable(theirs).items():
        if isinstance(value, list):
            result[name] = numbered(name, _joined(name, result.get(name) or [], value))
    return result | {name: theirs[name] for name in kept & theirs.keys()}


def _class(
    plural: str, ours: Mapping[str, Fields], theirs: Mapping[str, Fields]
) -> tuple[Change, ...]:
    compared = (_change(plural, fields, theirs.get(uid)) for uid, fields in sorted(ours.items()))
    return tuple(change for change in compared if change)


def _change(plural: str, ours: Fields, theirs: Fields | None) -> Change | None:
    if theirs is None:
        return Change(plural, ours["id"], (), sendable(ours))
    payload = merged(plural, ours, theirs)
    wanted, present = canonical(plural, payload), canonical(plural, theirs)
    names = sorted(name for name in wanted | present if wanted.get(name) != present.get(name))
    return Change(plural, ours["id"], tuple(names), payload) if names else None


def _counts(changes: tuple[Change, ...], total: int) -> Counts:
    new = sum(change.is_new for change in changes)
    return Counts(new, len(changes) - new, total - len(changes))


def _joined(name: str, ours: list[Json], theirs: list[Json]) -> list[Json]:
    mine = {identity(name, item): item for item in ours}
    present = [identity(name, item) for item in theirs]
    if None in mine or None in present:
        return ours  # nothing names its items, so the list is one value
    if list(mine) == [uid for uid in present if uid in mine]:
        return [mine.get(uid, item) for uid, item in zip(present, theirs, strict=True)]
    extra = [item for uid, item in zip(present, theirs, strict=True) if uid not in mine]
    return [*ours, *extra]
