"""Which kinds of tracker objects are there, and how are they named?"""

from collections.abc import Mapping
from enum import StrEnum

from dhis2_sandbox.metadata.store import Members


class Kind(StrEnum):
    """The four kinds of tracker objects, as import reports name them."""

    ENTITY = "TRACKED_ENTITY"
    ENROLLMENT = "ENROLLMENT"
    EVENT = "EVENT"
    RELATIONSHIP = "RELATIONSHIP"


#: The member that carries an object's own UID.
UID_MEMBER: Mapping[Kind, str] = {
    Kind.ENTITY: "trackedEntity",
    Kind.ENROLLMENT: "enrollment",
    Kind.EVENT: "event",
    Kind.RELATIONSHIP: "relationship",
}
#: The list of a payload that holds the objects of a kind.
LIST_MEMBER: Mapping[Kind, str] = {
    Kind.ENTITY: "trackedEntities",
    Kind.ENROLLMENT: "enrollments",
    Kind.EVENT: "events",
    Kind.RELATIONSHIP: "relationships",
}
#: The table that stores the objects of a kind.
TABLE: Mapping[Kind, str] = {
    Kind.ENTITY: "entity",
    Kind.ENROLLMENT: "enrollment",
    Kind.EVENT: "event",
    Kind.RELATIONSHIP: "relationship",
}


def end_of(item: Members, side: str) -> tuple[Kind, str] | None:
    """Return which object an end of a relationship names, if it names exactly one."""
    end = item.get(side)
    if not isinstance(end, dict):
        return None
    found = []
    for kind in (Kind.ENTITY, Kind.ENROLLMENT, Kind.EVENT):
        named = end.get(UID_MEMBER[kind])
        uid = named.get(UID_MEMBER[kind]) if isinstance(named, dict) else named
        if uid:
            found.append((kind, str(uid)))
    return found[0] if len(found) == 1 else None
