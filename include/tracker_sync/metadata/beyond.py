"""The beyond: what of the route's programs does only the destination have?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dhis2_api.metadata import Fields
from tracker_sync.metadata.canonical import identity
from tracker_sync.metadata.classes import JOINED_BY, OF_PROGRAM, Objects
from tracker_sync.metadata.portion import LEFT_OUT
from tracker_sync.metadata.references import REFERS_TO
from tracker_sync.metadata.sides import Sides


#: The list of a class that holds objects of its own, which nothing else holds.
OWN = frozenset(
    {
        ("optionSets", "options"),
        ("programRules", "programRuleActions"),
        ("programStages", "programStageSections"),
        ("programs", "programSections"),
        ("programs", "programStages"),
    }
)


@dataclass(frozen=True, slots=True)
class Gone:
    """What the destination has of the route's programs and the source lacks.

    Attributes:
        plural: The class of what is gone at the source.
        uid: Its UID.
        holder: Class and UID of what it belongs to; of a relationship type, its own.
        field: The holder's list that names it; empty where it alone names its holder.
        whole: Whether the object itself is the holder's own (an option, a stage, a section,
            a rule, an action, a variable, an indicator, a relationship type); else it is only
            a member: a stage's data element, a program's attribute, an assignment.
    """

    plural: str
    uid: str
    holder: tuple[str, str]
    field: str
    whole: bool

    def __str__(self) -> str:
        plural, uid = self.holder
        return f"{self.uid} (of {plural} {uid})"


def beyond(ours: Objects, theirs: Objects, sides: Sides) -> tuple[Gone, ...]:
    """Return what only the destination has, of the objects that both have.

    Args:
        ours: The source's closure.
        theirs: What the destination has of it, and what names its programs there.
        sides: The two servers.
    """
    members = [
        gone
        for plural, by_uid in ours.items()
        for uid in by_uid.keys() & theirs.get(plural, {}).keys()
        for gone in _members(plural, by_uid[uid], theirs[plural][uid], sides)
    ]
    named = {(gone.plural, gone.uid) for gone in members if gone.whole}
    alone = [
        gone
        for gone in _owned(ours, theirs)
        if (gone.plural, gone.uid) not in named and gone.uid not in sides.mapped
    ]
    return tuple(sorted([*members, *alone], key=str))


def _members(plural: str, ours: Fields, theirs: Fields, sides: Sides) -> Iterator[Gone]:
    for field, items in theirs.items():
        of = REFERS_TO.get(JOINED_BY.get(field, field))
        if not isinstance(items, list) or of is None or field in LEFT_OUT:
            continue
        mine = {identity(field, item) for item in ours.get(field) or []}
        for uid in (identity(field, item) for item in items):
            if uid and uid not in mine and _concerns_us(field, uid, sides):
                yield Gone(of, uid, (plural, theirs["id"]), field, (plural, field) in OWN)


def _concerns_us(field: str, uid: str, sides: Sides) -> bool:
    return field != "organisationUnits" or uid in sides.reached


def _owned(ours: Objects, theirs: Objects) -> Iterator[Gone]:
    programs = ours.get("programs", {})
    for plural in OF_PROGRAM:
        for uid, fields in _only_theirs(plural, ours, theirs):
            program = str((fields.get("program") or {}).get("id"))
            if program in programs:
                yield Gone(plural, uid, ("programs", program), "", whole=True)
    for uid, _ in _only_theirs("relationshipTypes", ours, theirs):
        yield Gone("relationshipTypes", uid, ("relationshipTypes", uid), "", whole=True)


def _only_theirs(plural: str, ours: Objects, theirs: Objects) -> list[tuple[str, Fields]]:
    mine = ours.get(plural, {})
    return [(uid, fields) for uid, fields in theirs.get(plural, {}).items() if uid not in mine]
