"""The holding: what does the destination have of a closure, and of its programs beyond it?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import DEFAULT_CLASSES, Fields, read_objects
from dhis2_api.metadata_classes import Asked, read_many
from tracker_sync.metadata.clashes import unique_fields
from tracker_sync.metadata.classes import OF_PROGRAM, Objects
from tracker_sync.metadata.closure import constraints_of, is_inside
from tracker_sync.metadata.default_objects import BY_NAME, default_objects
from tracker_sync.metadata.difference import Difference, to_be_named
from tracker_sync.metadata.expressions import called
from tracker_sync.metadata.org_units import read_subtrees
from tracker_sync.metadata.program_reading import of_programs, with_actions_apart
from tracker_sync.metadata.source import asked_by_uid, by_class


#: So many org units are asked for by UID beside all else; more are read by their subtrees.
_FEW = 100

#: Read with the programs, the rules and the option sets that hold them.
_WITH_THEIR_HOLDER = frozenset({*OF_PROGRAM, "programRuleActions", "programs"})


@dataclass(frozen=True, slots=True)
class Holding:
    """What the destination has.

    Attributes:
        objects: By class and UID: of what was asked, and what names its programs or stands
            in its option sets there.
        defaults: Class -> the UID of its default category object.
    """

    objects: Objects
    defaults: Mapping[str, str]


def read_holding(
    client: Dhis2Client,
    named: Mapping[str, Collection[str]],
    roots: Collection[str],
    roles: Collection[str] = (),
) -> Holding:
    """Read what a destination has of a closure: one request if it has all of a small one.

    Args:
        client: The destination.
        named: The UIDs of what is wanted, by class, as the destination calls them.
        roots: The roots of the route, as the destination calls them.
        roles: What expressions call user roles, UIDs or codes.
    """
    programs = named.get("programs", ())
    few = len(named.get("organisationUnits", ())) <= _FEW
    apart = {*_WITH_THEIR_HOLDER, "options", "relationshipTypes"}
    apart |= set() if few else {"organisationUnits"}
    wanted = [(plural, uid) for plural in named.keys() - apart for uid in named[plural]]
    sets = tuple(sorted(named.get("optionSets", ())))
    options = [Asked("options", "optionSet.id:in", sets)] if sets else []
    asked = [
        *of_programs(programs),
        *options,
        Asked("relationshipTypes"),
        *BY_NAME,
        *asked_by_uid(wanted),
        *([Asked("userRoles", fields="id,code")] if roles else []),
    ]
    objects = with_actions_apart(by_class(read_many(client, asked)))
    if not few:
        objects["organisationUnits"] = _units(client, named["organisationUnits"], roots)
    _take_missing(client, objects, named)
    _keep_inside(objects, named)
    _keep_named(objects, roles)
    return Holding(_without(objects, named), default_objects(objects, client.name))


def read_names(client: Dhis2Client, found: Difference) -> Objects:
    """Read the codes and names that the destination has given, of the classes that gain any.

    A filter can't list names: a comma in one would end it. So each class is read whole, with
    nothing but its names, in one request.
    """
    asked = [
        Asked(plural, fields=",".join(["id", *unique_fields(plural)]))
        for plural in to_be_named(found)
    ]
    return by_class(read_many(client, asked)) if asked else {}


def _units(client: Dhis2Client, uids: Collection[str], roots: Collection[str]) -> dict[str, Fields]:
    found = {unit["id"]: unit for unit in read_subtrees(client, roots)}
    others = read_objects(client, "organisationUnits", set(uids) - found.keys())
    return found | {unit["id"]: unit for unit in others}


def _take_missing(
    client: Dhis2Client, objects: dict[str, dict[str, Fields]], named: Mapping[str, Collection[str]]
) -> None:
    """Look whether what its program does not hold is there in another."""
    missing = [
        (plural, uid)
        for plural in (*_WITH_THEIR_HOLDER, "options")
        for uid in named.get(plural, ())
        if uid not in objects.get(plural, {})
    ]
    for plural, by_uid in by_class(read_many(client, asked_by_uid(missing))).items():
        objects.setdefault(plural, {}).update(by_uid)


def _keep_inside(
    objects: dict[str, dict[str, Fields]], named: Mapping[str, Collection[str]]
) -> None:
    """Keep the relationship types of the closure, and those between its programs and types."""
    held = {
        "program": named.get("programs", ()),
        "programStage": objects.get("programStages", {}),
        "trackedEntityType": named.get("trackedEntityTypes", ()),
    }
    ours = named.get("relationshipTypes", ())
    objects["relationshipTypes"] = {
        uid: fields
        for uid, fields in objects.get("relationshipTypes", {}).items()
        if uid in ours or all(is_inside(end, held) for end in constraints_of(fields))
    }


def _keep_named(objects: dict[str, dict[str, Fields]], roles: Collection[str]) -> None:
    """Keep the user roles that expressions call by UID or code."""
    held = objects.pop("userRoles", {})
    kept = [found for role in roles if (found := called(held, role))]
    objects["userRoles"] = {fields["id"]: fields for fields in kept}


def _without(objects: Objects, named: Mapping[str, Collection[str]]) -> Objects:
    """Leave out the default category objects, which nobody asked for."""
    kept = {plural: by_uid for plural, by_uid in objects.items() if by_uid}
    for plural in DEFAULT_CLASSES:
        asked = set(named.get(plural, ()))
        kept[plural] = {uid: kept[plural][uid] for uid in kept.get(plural, {}) if uid in asked}
    return {plural: by_uid for plural, by_uid in kept.items() if by_uid}
