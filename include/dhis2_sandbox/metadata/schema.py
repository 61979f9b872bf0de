"""What does one version know of each class: its members, what it demands and fills in?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from dhis2_sandbox.metadata.classes import CLASSES, TABLE, ByVersion
from dhis2_sandbox.metadata.store import Members


_EVERY = frozenset(TABLE["every"].split())
#: Members that a server computes when it shows an object: never read from a payload.
_COMPUTED = frozenset(
    {"access", "displayName", "displayShortName", "favorite", "favorites", "href"}
)


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of one version. `minor` is 42 for 2.42.4."""

    minor: int

    def known(self, name: str, item: Members) -> Members:
        """Return what this version reads of an object of a class or of an inner list.

        What it does not know it ignores without a word (metadata 2.8), as it does null.
        """
        members = _members(name, self.minor)
        return {
            member: value
            for member, value in item.items()
            if value is not None
            and (member in members if members is not None else member not in _COMPUTED)
        }

    def filled(self, name: str) -> Members:
        """Return what stands in an object where nothing was sent (recordings: 022 to 025)."""
        return _filled(name, self.minor)

    def unique(self, plural: str) -> tuple[str, ...]:
        """Return the members of which no two objects of the class may share a value."""
        return _in_version(CLASSES[plural].unique, self.minor)

    def required(self, plural: str) -> tuple[str, ...]:
        """Return the members that an object of the class must have."""
        return _in_version(CLASSES[plural].required, self.minor)

    def references(self, plural: str) -> Mapping[str, str]:
        """Return the member paths that name other objects, with the class they name."""
        return _references(plural, self.minor)

    def defaults(self, plural: str) -> Mapping[str, str]:
        """Return the members that name a default object if nothing is sent, with its class."""
        members = _members(plural, self.minor) or frozenset()
        return {name: kind for name, kind in CLASSES[plural].defaults.items() if name in members}

    def constants(self, member: str) -> frozenset[str] | None:
        """Return the words that a member may be, or None if it may be any text."""
        return _constants(member, self.minor)


def _in_version(names: ByVersion, minor: int) -> tuple[str, ...]:
    """Return the names that the version has, from {"always": ..., "from 42": ..., ...}."""
    found: list[str] = []
    for span, text in names.items():
        word, _, bound = span.partition(" ")
        number = int(bound or minor)
        fits = {"always": True, "from": minor >= number, "until": minor <= number}
        if fits.get(word, minor == number):
            found += text.split()
    return tuple(found)


@cache
def _members(name: str, minor: int) -> frozenset[str] | None:
    row = TABLE["classes"].get(name) or TABLE["inner"][name]
    if row["properties"] is None:
        return None
    return _EVERY | frozenset(_in_version(row["properties"], minor))


@cache
def _filled(name: str, minor: int) -> Members:
    row = TABLE["classes"].get(name) or TABLE["inner"][name]
    members = _members(name, minor)
    filled: Members = row.get("filled", {})
    return {key: value for key, value in filled.items() if members is None or key in members}


@cache
def _references(plural: str, minor: int) -> Mapping[str, str]:
    members = _members(plural, minor)
    references = CLASSES[plural].references
    return {
        path: target
        for path, target in references.items()
        if members is None or path.split(".", maxsplit=1)[0] in members
    }


@cache
def _constants(member: str, minor: int) -> frozenset[str] | None:
    words = TABLE["constants"].get(member)
    return None if words is None else frozenset(_in_version(words, minor))
