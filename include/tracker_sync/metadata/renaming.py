"""The renaming: which objects give up a code or name that something else is to have?

A server looks at what it holds, not at the rest of a payload, so they are renamed before
anything else is committed (metadata 2.7: E5003, E4028, E4051, E4057).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from dhis2_api.metadata_report import MetadataError
from tracker_sync.findings import Finding
from tracker_sync.metadata.application import Writable, look, rewrite
from tracker_sync.metadata.clashes import UNIQUE_WITHIN, unique_fields
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change
from tracker_sync.metadata.merging import as_it_stands
from tracker_sync.metadata.steps import Step


#: What a server says of an object whose code or name another one still has.
_TAKEN = frozenset({"E4028", "E4051", "E4057", "E5003"})

#: A short name and a code have no more characters; a UID and a blank take twelve.
_KEPT = 50 - 12

#: Where a value is unique: class, field, the holder if it is unique within one, and the value.
_Place = tuple[str, str, str, Json]


@dataclass(frozen=True, slots=True)
class Renaming:
    """A changed object that gives something up.

    Attributes:
        change: The object.
        names: Its codes and names until the change itself is sent.
        detours: Those of them that are neither the old nor the new one, because two
            objects or more want each other's.
    """

    change: Change
    names: Mapping[str, Json]
    detours: frozenset[str]


def renamings(changes: Sequence[Change], theirs: Objects) -> list[Renaming]:
    """Return the changed objects whose code or name another new or changed object is to have.

    Each gets its new one at once where that is free, else one of no meaning on its way.

    Args:
        changes: What is to be sent.
        theirs: What the destination has.
    """
    wanted = {place for change in changes for _, place in _coming(change)}
    held = {place for change in changes for _, place in _leaving(change, theirs)}
    found = []
    for change in changes:
        leaving = dict(_leaving(change, theirs))
        if not wanted.isdisjoint(leaving.values()):
            coming = dict(_coming(change))
            detours = frozenset(name for name in leaving if coming.get(name) in held)
            names = {
                name: _on_its_way(change, leaving[name]) if name in detours else _new(change, name)
                for name in leaving
            }
            found.append(Renaming(change, names, detours))
    return found


def swapped_codes(changes: Sequence[Change], theirs: Objects) -> list[Finding]:
    """Return a blocking finding if options want each other's codes.

    Whoever enters data while a code is on its way would store that code for good.
    """
    swapped = [
        one.change.uid
        for one in renamings(changes, theirs)
        if one.change.plural == "options" and "code" in one.detours
    ]
    return [
        Finding(
            "option_codes_swapped",
            blocking=True,
            text=f"options {', '.join(sorted(swapped))} have each other's codes at the "
            "destination, which knows no way to swap them at once",
            remedy="while nobody enters data there, give one of them a code of no meaning, then "
            "both their codes, and run again; or take the change back at the source",
        )
    ][: len(swapped)]


def free_names(
    destination: Writable, steps: Sequence[Step], theirs: Objects, changes: Sequence[Change]
) -> None:
    """Rename what gives up a code or name, and nothing else, if all the rest would be taken.

    Killed after it, the next run finds these objects changed and their names free.

    Raises:
        NotAppliedError: The destination refuses it, or what is to follow it.
    """
    found = renamings(changes, theirs)
    if not found:
        return
    left = {place for change in changes for _, place in _leaving(change, theirs)}
    waiting = {change.uid for change in changes for _, place in _coming(change) if place in left}
    there = {(plural, uid) for plural, by_uid in theirs.items() for uid in by_uid}

    def only_taken(error: MetadataError) -> bool:
        return error.code in _TAKEN and error.uid in waiting

    look(destination, steps, there, only_taken)
    payload: dict[str, list[Fields]] = {}
    for one in found:
        payload.setdefault(one.change.plural, []).append(_renamed(one, theirs))
    rewrite(destination, payload)


def _renamed(one: Renaming, theirs: Objects) -> Fields:
    return {**as_it_stands(dict(theirs[one.change.plural][one.change.uid])), **one.names}


def _on_its_way(change: Change, place: _Place) -> str:
    return f"{str(place[-1])[:_KEPT]} {change.uid}"


def _new(change: Change, name: str) -> Json:
    return change.payload.get(name)


def _coming(change: Change) -> Iterator[tuple[str, _Place]]:
    """Give the fields of a change that are to be unique, and what it wants to have in them."""
    for name in _unique(change.plural):
        if (change.is_new or name in change.fields) and change.payload.get(name):
            yield name, _place(change.plural, name, change.payload)


def _leaving(change: Change, theirs: Objects) -> Iterator[tuple[str, _Place]]:
    there = {} if change.is_new else theirs[change.plural][change.uid]
    for name in _unique(change.plural):
        if name in change.fields and there.get(name):
            yield name, _place(change.plural, name, there)


def _place(plural: str, name: str, fields: Mapping[str, Json]) -> _Place:
    holder, _ = UNIQUE_WITHIN.get(plural, ("", ()))
    return plural, name, str((fields.get(holder) or {}).get("id", "")), fields[name]


def _unique(plural: str) -> tuple[str, ...]:
    return UNIQUE_WITHIN[plural][1] if plural in UNIQUE_WITHIN else unique_fields(plural)
