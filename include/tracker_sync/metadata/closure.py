"""The closure: which metadata must the destination hold before the data can arrive?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import Fields
from tracker_sync.findings import Finding
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.closure_findings import (
    group_unread,
    relationship_left_out,
    unresolved,
)
from tracker_sync.metadata.portion import CLASSES_LEFT_OUT, cut, without_messages
from tracker_sync.metadata.references import Reference, found_in, references
from tracker_sync.metadata.source import Source, groups_named
from tracker_sync.metadata.source_reading import read_source
from tracker_sync.route import Route


@dataclass(frozen=True, slots=True)
class Closure:
    """What the source says the destination needs.

    Attributes:
        objects: As the source gave them, cut to the route's scope, with the UIDs of
            the destination's default category objects.
        left_out: What was left out.
        unresolved: What could not be had.
    """

    objects: Objects
    left_out: tuple[Finding, ...]
    unresolved: tuple[Finding, ...]


def read_closure(client: Dhis2Client, route: Route, known: Mapping[str, str]) -> Closure:
    """Read the programs of a route and all they refer to, until nothing is missing.

    Raises:
        UnexpectedAnswer: An answer was cut.
    """
    return closure_of(read_source(client, route), route, known)


def closure_of(source: Source, route: Route, known: Mapping[str, str]) -> Closure:
    """Return what the destination must hold, of all that was read.

    Args:
        source: What was read.
        route: Which programs and org units.
        known: What the destination has of its own, as the default category objects and
            whatever the route maps: the source's UID -> the destination's. It is referred
            to and not brought over, nor is anything that only it refers to.
    """
    closure = _Growing(source, known)
    scope = source.scope
    mapped = not known.keys().isdisjoint(scope.objects)  # what stands above it is another's there
    closure.add("organisationUnits", scope.within() if mapped else scope.objects.values())
    for program in (uid for uid in source.programs if uid not in known):
        for plural, objects in source.programs[program].items():
            closure.add(plural, objects.values())
    closure.follow()  # which types are the route's own is seen by the programs' references
    left_out = closure.add_relationship_types(route)
    closure.follow()
    lacking = closure.unresolved()
    ours = without_messages(closure.objects)
    present = {plural: by_uid for plural, by_uid in ours.items() if by_uid}
    groups, unread = _groups(source, present)
    return Closure(
        present | ({"userGroups": groups} if groups else {}),
        tuple(left_out),
        (*lacking, *unread),
    )


def _groups(source: Source, objects: Objects) -> tuple[dict[str, Fields], list[Finding]]:
    """Return the user groups that the sharing of what is ours names, if they are wanted."""
    named = groups_named(objects) if source.groups else frozenset()
    held = source.objects.get("userGroups", {})
    unread = [group_unread(uid) for uid in sorted(named - held.keys())]
    return {uid: held[uid] for uid in sorted(named & held.keys())}, unread


class _Growing:
    """The objects found so far."""

    def __init__(self, source: Source, known: Mapping[str, str]) -> None:
        reached = source.scope.reached
        self.objects: dict[str, dict[str, Fields]] = defaultdict(dict)
        self._source = source
        self._reached = reached.union(known.get(uid, uid) for uid in reached)
        self._known = known

    def add(self, plural: str, objects: Iterable[Fields]) -> None:
        """Take objects of a class, cut to what is ours."""
        if plural in CLASSES_LEFT_OUT:
            return
        for fields in objects:
            if fields["id"] not in self._known and not self._is_of_known_set(plural, fields):
                self.objects[plural][fields["id"]] = cut(fields, self._reached, self._known)

    def add_relationship_types(self, route: Route) -> list[Finding]:
        """Take the types between people of the route; nothing in a program refers to them."""
        held: dict[str, Collection[str]] = {
            "program": route.programs,
            "programStage": self.objects["programStages"].keys() | self._known.keys(),
            "trackedEntityType": self.objects["trackedEntityTypes"].keys() | self._known.keys(),
        }
        left_out = []
        for fields in self._source.relationship_types.values():
            inside = [is_inside(end, held) for end in constraints_of(fields)]
            if all(inside):
                self.add("relationshipTypes", [fields])
            elif any(inside):
                left_out.append(relationship_left_out(fields["id"]))
        return left_out

    def follow(self) -> None:
        """Take what is referred to and missing, and so on, as far as it was read."""
        asked: set[tuple[str, str]] = set()
        while wanted := {reference.to for reference in self._missing()} - asked:
            asked |= wanted
            for plural, uid in sorted(wanted):
                found = found_in(self._read(plural), plural, uid)
                self.add(plural, [found] if found else [])

    def unresolved(self) -> list[Finding]:
        """Name what was not read."""
        in_order = sorted(set(self._missing()), key=str)
        first = {reference.to: reference for reference in reversed(in_order)}
        return [unresolved(reference) for reference in first.values()]

    def _read(self, plural: str) -> Mapping[str, Fields]:
        if plural == "organisationUnits":
            return self._source.scope.objects
        return self._source.objects.get(plural, {})

    def _is_of_known_set(self, plural: str, fields: Fields) -> bool:
        return plural == "options" and (fields.get("optionSet") or {}).get("id") in self._known

    def _missing(self) -> Iterable[Reference]:
        ours = set(self._known.values())
        for reference in references(self.objects):
            plural, uid = reference.to
            if uid not in ours and not found_in(self.objects.get(plural, {}), plural, uid):
                yield reference


def constraints_of(fields: Fields) -> list[Fields]:
    """Return what the two ends of a relationship type name."""
    return [fields.get(side) or {} for side in ("fromConstraint", "toConstraint")]


def is_inside(end: Fields, held: Mapping[str, Collection[str]]) -> bool:
    """Whether an end of a relationship type names nothing but what is held."""
    named = [end[name]["id"] in uids for name, uids in held.items() if end.get(name)]
    return bool(named) and all(named)
