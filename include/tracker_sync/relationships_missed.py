"""The relationships that should have come: known, and their people or events were read since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dhis2_api.export import MOST_UIDS
from tracker_sync.people import read_wanted
from tracker_sync.relations import flatten_relationships, relationships_wanted
from tracker_sync.relationship import relationships_in
from tracker_sync.relationship_state import Known
from tracker_sync.relationships_read import ReadRelationships
from tracker_sync.steps.after_slices import AfterSlices, Basis
from tracker_sync.waiting import WAITING


@dataclass(frozen=True, slots=True)
class Missed:
    """What a run missed, and what lines about it rest on.

    Attributes:
        known: What earlier runs came to, by UID.
        bases: What a line about each rests on.
    """

    known: Mapping[str, Known]
    bases: Mapping[str, Basis]


def missed(after: AfterSlices, read: ReadRelationships, known: Mapping[str, Known]) -> Missed:
    """Return which known relationships did not come, though they would have if they lived.

    And, where deletions are sent, those whose deletion was held.
    """
    there = _lone_there(after, read, known.values())
    sends = after.route.deletes == "send"
    found = {
        uid: one
        for uid, one in known.items()
        if uid not in read.met and one.is_open
        if (sends and one.code in WAITING) or _would_have_come(read, uid, one, there)
    }
    return Missed(found, {uid: _basis(read, one) for uid, one in found.items()})


def _would_have_come(
    read: ReadRelationships, uid: str, known: Known, there: frozenset[str]
) -> bool:
    """Whether whom it belongs to was read, and not before what is known of it."""
    person = known.tracked_entity
    if person is None:
        lone = read.lone.get(known.program)
        late = lone is not None and lone.read_number >= known.read_number
        return late and (known.destination_uid or uid) in there
    number = read.people.get(person, -1)
    if known.refused:  # and with the person it is gone for good
        number = max(number, read.buried.get(person, -1))
    return number >= known.read_number


def _basis(read: ReadRelationships, known: Known) -> Basis:
    numbers = [known.read_number]
    if known.tracked_entity:
        found = (people.get(known.tracked_entity) for people in (read.people, read.buried))
        numbers += [number for number in found if number is not None]
    elif known.program in read.lone:
        numbers.append(read.lone[known.program].read_number)
    return Basis(max(numbers), known.program)


def _lone_there(
    after: AfterSlices, read: ReadRelationships, known: Iterable[Known]
) -> frozenset[str]:
    """Return what the destination has of the lone events that were read.

    A line about a relationship of nobody's does not say which events it joins.
    """
    programs = {one.program for one in known if one.tracked_entity is None}
    found: set[str] = set()
    for program in programs & read.events.keys():
        wanted = relationships_wanted(after.route.mapping.there("programs", program))
        uids = sorted(read.events[program])
        for batch in read_wanted(after.destination.client, wanted, uids, MOST_UIDS):
            there = relationships_in(flatten_relationships(batch.rows))
            found |= {each.uid for each in there}
    return frozenset(found)
