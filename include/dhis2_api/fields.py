"""The fields: what of each object is asked for, by name.

Explicit fields are up to eight times smaller than `*` (measured: Reading).
"""

from __future__ import annotations

from typing import Literal


Listed = Literal["trackedEntities", "enrollments", "events"]

#: The key of an object's UID, by the list it stands in.
UID_KEYS: dict[Listed, str] = {
    "trackedEntities": "trackedEntity",
    "enrollments": "enrollment",
    "events": "event",
}

LISTING_FIELDS: dict[Listed, str] = {
    "trackedEntities": "trackedEntity,orgUnit,updatedAt,deleted",
    "enrollments": "enrollment,trackedEntity,updatedAt,deleted",
    # An event without registration has no person whose org unit could tell its slice.
    "events": "event,trackedEntity,orgUnit,updatedAt,deleted",
}

_STAMPS = "createdAt,updatedAt,createdAtClient,updatedAtClient,storedBy,deleted,geometry"
_VALUES = "attributes[attribute,value]"
_NOTES = "notes[note,value,storedAt,createdBy[username]]"

# What a copy needs and nothing else, of an event with registration or without; not its
# `enrollment`, since 2.41 and 2.42 show a placeholder of their own where there is no
# registration (recordings: 159-export-single-events).
EVENT_FIELDS = (
    "event,program,programStage,orgUnit,status,occurredAt,scheduledAt,completedAt,"
    f"attributeOptionCombo,assignedUser[username],{_STAMPS},"
    f"dataValues[dataElement,value,providedElsewhere],{_NOTES}"
)
_ENROLLMENT_FIELDS = (
    "enrollment,program,orgUnit,status,enrolledAt,occurredAt,completedAt,followUp,"
    f"attributeOptionCombo,{_STAMPS},{_VALUES},{_NOTES},events[{EVENT_FIELDS}]"
)

# The same of a person, but for the relationships, which take three times as long to read
# as all the rest (measured: What costs what).
PERSON_FIELDS = (
    "trackedEntity,trackedEntityType,orgUnit,inactive,potentialDuplicate,"
    f"{_STAMPS},{_VALUES},programOwners[program,orgUnit],enrollments[{_ENROLLMENT_FIELDS}]"
)

RELATIONSHIP_FIELDS = (
    "relationship,relationshipType,createdAt,updatedAt,"
    # Without fields of their own, both ends come whole (measured: 20 KB a relationship).
    "from[trackedEntity[trackedEntity],enrollment[enrollment],event[event]],"
    "to[trackedEntity[trackedEntity],enrollment[enrollment],event[event]]"
)

# What is asked of an event, and of a person, to learn the living relationships that it, or
# anything below, has an end in: only by `export.by_uid(..., living=True)`.
RELATED_EVENT_FIELDS = f"event,relationships[{RELATIONSHIP_FIELDS}]"
RELATED_FIELDS = (
    f"trackedEntity,relationships[{RELATIONSHIP_FIELDS}],"
    f"enrollments[enrollment,relationships[{RELATIONSHIP_FIELDS}],events[{RELATED_EVENT_FIELDS}]]"
)
