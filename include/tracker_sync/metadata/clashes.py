"""The clashes: which objects can't be what the source says, because something stands there?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dhis2_api.metadata import Fields
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.sides import Sides


#: Fields of which no two objects of a class share a value, beside `code` (metadata 2.7). The
#: names of programs and stages are not unique.
UNIQUE: Mapping[str, tuple[str, ...]] = {
    "categories": ("name", "shortName"),
    "categoryCombos": ("name",),
    "categoryOptions": ("name", "shortName"),
    "constants": ("name", "shortName"),
    "dataElements": ("name", "shortName"),
    "legendSets": ("name",),
    "optionGroups": ("name", "shortName"),
    "optionSets": ("name",),
    "organisationUnitGroups": ("name", "shortName"),
    "programIndicators": ("name", "shortName"),
    "relationshipTypes": ("name",),
    "trackedEntityAttributes": ("name", "shortName"),
    "trackedEntityTypes": ("name", "shortName"),
    "userGroups": ("name",),
}

#: Fields unique among the objects of one holder: the field that names it, and those fields
#: (metadata 2.7: E4028, E4057, E4051).
UNIQUE_WITHIN = {
    "options": ("optionSet", ("code", "name")),
    "programRuleVariables": ("program", ("name",)),
    "programRules": ("program", ("name",)),
}

#: What an object is for good: a change would tear it from its data or its program.
FOR_GOOD = {
    "dataElements": ("domainType",),
    "options": ("optionSet",),
    "programIndicators": ("program",),
    "programRuleVariables": ("program",),
    "programRules": ("program",),
    "programStages": ("program",),
    "programs": ("programType", "trackedEntityType"),
}

#: What an object is as long as there are values of it: a server takes the change and the
#: values no longer fit (metadata, trap 15).
UNDER_DATA = {"dataElements": ("valueType",), "trackedEntityAttributes": ("valueType",)}


@dataclass(frozen=True, slots=True)
class Clash:
    """An object that the destination can't take as it is.

    Attributes:
        plural: Its class.
        uid: Its UID.
        field: The field at fault.
        other: The UID of the object there that has this code or name already; the object's
            own where what it is differs.
    """

    plural: str
    uid: str
    field: str
    other: str

    def __str__(self) -> str:
        taken = f" is {self.other}'s there" if self.other != self.uid else " differs for good"
        return f"{self.uid} ({self.field}{taken})"


def clashes_of(ours: Objects, theirs: Objects, sides: Sides) -> Iterator[Clash]:
    """Give the objects whose nature differs, and those whose holder has their name already."""
    for plural, names in FOR_GOOD.items():
        for uid, mine, there in _both(plural, ours, theirs):
            yield from (
                Clash(plural, uid, name, uid) for name in names if _differ(name, mine, there)
            )
    for plural, names in UNDER_DATA.items():
        for uid, mine, there in _both(plural, ours, theirs):
            changed = [name for name in names if _differ(name, mine, there)]
            if changed and sides.holds_data(plural, uid):
                yield from (Clash(plural, uid, name, uid) for name in changed)
    for plural, (holder, names) in UNIQUE_WITHIN.items():
        of_class = ours.get(plural, {}).values(), theirs.get(plural, {}).values()
        for name in names:
            yield from _taken(plural, name, *of_class, holder)


def unique_fields(plural: str) -> tuple[str, ...]:
    """Return the fields of a class of which no two objects of a server share a value."""
    return () if plural in UNIQUE_WITHIN else ("code", *UNIQUE.get(plural, ()))


def names_taken(named: Objects, there: Objects) -> Iterator[Clash]:
    """Give the objects whose code or name another object of the destination has.

    Args:
        named: The objects that are new, or whose code or name changes.
        there: The destination's objects of the same classes, with `id`, `code`, `name` and
            `shortName`.
    """
    for plural, by_uid in named.items():
        for name in unique_fields(plural):
            yield from _taken(plural, name, by_uid.values(), there.get(plural, {}).values())


def _both(plural: str, ours: Objects, theirs: Objects) -> Iterator[tuple[str, Fields, Fields]]:
    there = theirs.get(plural, {})
    for uid, fields in ours.get(plural, {}).items():
        if uid in there:
            yield uid, dict(fields), dict(there[uid])


def _differ(name: str, ours: Fields, theirs: Fields) -> bool:
    # What a version leaves out differs from nothing.
    return bool(ours.get(name) and theirs.get(name) and ours[name] != theirs[name])


def _taken(
    plural: str, name: str, ours: Iterable[Fields], theirs: Iterable[Fields], holder: str = ""
) -> Iterator[Clash]:
    def place(fields: Fields) -> tuple[str, str] | None:
        value = fields.get(name)
        return (str((fields.get(holder) or {}).get("id")), value) if value else None

    holding = {place(fields): fields["id"] for fields in theirs}
    mine = {fields["id"] for fields in ours}
    for fields in ours:
        other = holding.get(place(fields)) if place(fields) else None
        if other and other != fields["id"] and other not in mine:
            yield Clash(plural, fields["id"], name, other)
