"""The difference: what would the destination gain, object by object?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.beyond import Gone, beyond
from tracker_sync.metadata.canonical import canonical
from tracker_sync.metadata.clashes import Clash, clashes_of, names_taken, unique_fields
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.merging import merged, new
from tracker_sync.metadata.sides import Sides
from tracker_sync.metadata.versions import SetAside, known_part, set_aside


_SAME_VERSIONS = Sides()

#: Whose objects, once there, are the destination's own.
_ONLY_NEW = frozenset({"userGroups"})


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
    """How many objects of a class are new, changed, the same, gone at the source, clashing."""

    new: int
    changed: int
    same: int
    gone: int = 0
    clashing: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """All objects of the closure, against the destination.

    Attributes:
        changes: What is new or changed; nothing that clashes.
        counts: By class.
        gone: What only the destination has.
        clashes: What can't be sent as it is.
        set_aside: What the destination's version has no field for.
    """

    changes: tuple[Change, ...]
    counts: Mapping[str, Counts]
    gone: tuple[Gone, ...] = ()
    clashes: tuple[Clash, ...] = ()
    set_aside: tuple[SetAside, ...] = ()

    def rows(self) -> list[dict[str, Json]]:
        """Return it for a file: class, UID, kind and fields of each object that differs."""
        changed = [
            _row(one.plural, one.uid, "new" if one.is_new else "changed", one.fields)
            for one in self.changes
        ]
        gone = [_row(one.plural, one.uid, "gone", (one.field,)) for one in self.gone]
        clashing = [_row(one.plural, one.uid, "clashing", (one.field,)) for one in self.clashes]
        return [*changed, *gone, *clashing]


def difference(ours: Objects, theirs: Objects, sides: Sides = _SAME_VERSIONS) -> Difference:
    """Compare the source's closure with what the destination has of it.

    Members of a list that only the destination has make no change, unless it is to be
    a mirror; they are among what is gone.

    Args:
        ours: The source's closure, in the destination's names.
        theirs: What the destination has of it, and what names its programs there.
        sides: The two servers.
    """
    changes = tuple(
        change
        for plural, by_uid in ours.items()
        for uid, fields in sorted(by_uid.items())
        if (change := _change(plural, fields, theirs.get(plural, {}).get(uid), sides))
    )
    gone = beyond(ours, theirs, sides)
    clashes = tuple(clashes_of(ours, _staying(theirs, gone) if sides.mirror else theirs, sides))
    return _told(Difference(changes, {}, gone, clashes, _lost(ours, sides)), ours)


def _staying(theirs: Objects, gone: Sequence[Gone]) -> Objects:
    """Return what a mirror leaves there: what it takes away first stands in nobody's way."""
    going = {(one.plural, one.uid) for one in gone if one.whole}
    return {
        plural: {uid: fields for uid, fields in by_uid.items() if (plural, uid) not in going}
        for plural, by_uid in theirs.items()
    }


def without_taken(
    found: Difference, ours: Objects, there: Objects, sides: Sides = _SAME_VERSIONS
) -> Difference:
    """Return a difference whose clashes tell of codes and names too.

    Args:
        found: What `difference` gave.
        ours: The source's closure.
        there: What `to_be_named` asks for, as the destination has it.
        sides: The two servers.
    """
    there = _staying(there, found.gone) if sides.mirror else there
    clashes = (*found.clashes, *names_taken(to_be_named(found), there))
    return _told(replace(found, clashes=clashes), ours)


def to_be_named(found: Difference) -> dict[str, dict[str, Fields]]:
    """Return the objects with a code or name of their own that would come, by class."""
    named: dict[str, dict[str, Fields]] = {}
    for change in found.changes:
        unique = unique_fields(change.plural)
        coming = unique if change.is_new else set(unique) & set(change.fields)
        if any(change.payload.get(name) for name in coming):
            named.setdefault(change.plural, {})[change.uid] = change.payload
    return named


def _change(plural: str, ours: Fields, theirs: Fields | None, sides: Sides) -> Change | None:
    if theirs is None:
        return Change(plural, ours["id"], (), new(plural, ours, sides))
    if plural in _ONLY_NEW:
        return None
    payload = merged(plural, ours, theirs, sides)
    wanted = canonical(plural, payload, sides.defaults)
    present = canonical(plural, known_part(plural, theirs, sides.unknown_there), sides.defaults)
    names = sorted(name for name in wanted | present if wanted.get(name) != present.get(name))
    return Change(plural, ours["id"], tuple(names), payload) if names else None


def _lost(ours: Objects, sides: Sides) -> tuple[SetAside, ...]:
    unknown = sides.unknown_there
    of_rows = {"programs"} if "programTrackedEntityAttributes" in unknown else set()
    held = {
        plural: [
            canonical(plural, fields, sides.defaults) for fields in ours.get(plural, {}).values()
        ]
        for plural in (*unknown, *of_rows)
    }
    return set_aside(held, unknown)


def _told(found: Difference, ours: Objects) -> Difference:
    """Return a difference without changes that clash, and counted."""
    at_odds = {(clash.plural, clash.uid) for clash in found.clashes}
    changes = tuple(one for one in found.changes if (one.plural, one.uid) not in at_odds)
    kinds = [(one.plural, one.is_new) for one in changes]
    news = Counter(plural for plural, is_new in kinds if is_new)
    changed = Counter(plural for plural, is_new in kinds if not is_new)
    gone = Counter(one.plural for one in found.gone)
    clashing = Counter(plural for plural, _ in at_odds)
    counts = {
        plural: Counts(
            news[plural],
            changed[plural],
            len(ours.get(plural, {})) - news[plural] - changed[plural] - clashing[plural],
            gone[plural],
            clashing[plural],
        )
        for plural in [*ours, *sorted(gone.keys() - ours.keys())]
    }
    return replace(found, changes=changes, counts=counts)


def _row(plural: str, uid: str, kind: str, fields: tuple[str, ...]) -> dict[str, Json]:
    return {"class": plural, "uid": uid, "kind": kind, "fields": [name for name in fields if name]}
