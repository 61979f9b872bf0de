"""The relationships of a server: which it has by now, and what became of one that is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from http import HTTPStatus
from typing import Literal, cast

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError, RequestRefused, Unauthorized
from dhis2_api.export import MOST_UIDS
from dhis2_api.fields import RELATIONSHIP_FIELDS
from dhis2_api.importer import Ref
from dhis2_api.reading import read_by_uid, read_relationships
from tracker_sync.reading.people import read_wanted
from tracker_sync.reading.relations import OF_THEIR_OWN, flatten_relationships
from tracker_sync.relationships.link import (
    ENDS,
    Relationship,
    people_of,
    relationship_of,
    relationships_in,
)


class Fate(Enum):
    """What became of a relationship that did not come with its ends."""

    LIVES = "it came into being after they were read"
    DELETED = "the server has its tombstone"
    UNKNOWN = "it is purged, or out of the account's reach"


def read_beside(client: Dhis2Client, given: Collection[Relationship]) -> list[Relationship]:
    """Return the living relationships that share an end with one of *given*: itself, if there.

    People are asked for together; enrollments and events, of which 2.43 would have to know
    the programs, one by one, and only where no end is a person.
    """
    found: dict[str, Relationship] = {}
    for batch in read_wanted(client, OF_THEIR_OWN, people_of(given), MOST_UIDS):
        found |= {each.uid: each for each in relationships_in(flatten_relationships(batch.rows))}
    others = {end for each in given if not each.people for end in each.ends}
    for end in sorted(others):
        found |= {each.uid: each for each in _of_end(client, end)}
    return [*found.values()]


def read_one(client: Dhis2Client, uid: str) -> Relationship | None:
    """Return a living relationship by its UID; nothing if it is not there.

    Raises:
        Unauthorized: It is, and the account may not read it.
    """
    path = f"/api/tracker/relationships/{uid}"
    try:
        return relationship_of(client.get(path, {"fields": RELATIONSHIP_FIELDS}))
    except RequestRefused as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def fate_of(client: Dhis2Client, gone: Relationship) -> Fate:
    """Return what became of a relationship, known from elsewhere, on this server.

    Deleted ones carry no flag, so that one is known by coming with the deleted and not with
    the living (measured: Reading). Silence proves nothing: lost rights look like it.
    """
    for end in gone.ends:
        if gone.uid in {each.uid for each in _of_end(client, end)}:
            return Fate.LIVES
        if gone.uid in {each.uid for each in _of_end(client, end, deleted_too=True)}:
            return Fate.DELETED
    return Fate.UNKNOWN


def absent_ends(client: Dhis2Client, given: Iterable[Relationship]) -> frozenset[Ref]:
    """Return which ends of relationships the server does not have, or has deleted."""
    ends = {end for each in given for end in each.ends}
    people = sorted(end.uid for end in ends if end.kind == "TRACKED_ENTITY")
    rows = read_by_uid(client, "trackedEntities", people, "trackedEntity,deleted")
    there = {Ref("TRACKED_ENTITY", row["trackedEntity"]) for row in rows if not row["deleted"]}
    others = [end for end in ends if end.kind != "TRACKED_ENTITY"]
    return frozenset(ends - there - {end for end in others if _is_there(client, end)})


def _is_there(client: Dhis2Client, end: Ref) -> bool:
    key = ENDS[end.kind]
    try:
        client.get(f"/api/tracker/{key}s/{end.uid}", {"fields": key})
    except Unauthorized:
        return False  # as good as absent: a relationship to it would be refused
    except RequestRefused as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


_End = Literal["trackedEntity", "enrollment", "event"]


def _of_end(client: Dhis2Client, end: Ref, *, deleted_too: bool = False) -> list[Relationship]:
    """Return what the server shows of one end; nothing if that is deleted or out of reach."""
    key = cast("_End", ENDS[end.kind])
    try:
        rows = [*read_relationships(client, key, end.uid, deleted_too=deleted_too)]
    except PermanentError:
        return []
    return [relationship_of(row) for row in rows]
