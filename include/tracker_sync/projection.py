"""The projection: what of a staged row is sent to a server, and how.

Server-owned fields are left out (tracker-api 3.2), business dates stay the text
that came, scalars are always sent, because leaving one out resets it (tracker-api 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from tracker_sync.metadata.model import Model


Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Projection:
    """What of an object counts, the same for both servers.

    Attributes:
        own_attributes: Tracked entity type -> the attributes that are a person's own, whatever
            else a server lists with them: before 2.42 a superuser gets those of all programs
            there too (tracker-api 1.3). Of a type that isn't named, all are.
        files: The attributes whose values name a file, which are the person's own always.
        no_assignee: The program stages whose events are assigned to nobody, whomever a server
            still names: DHIS2 ignores a user there (E1120).
    """

    own_attributes: Mapping[str, frozenset[str]]
    files: frozenset[str] = frozenset()
    no_assignee: frozenset[str] = frozenset()

    @classmethod
    def of(cls, model: Model) -> Self:
        """Return the projection of what the programs consist of."""
        files = frozenset(model.files)
        own = model.type_attributes.items()
        held = {uid: attributes | model.confidential | files for uid, attributes in own}
        return cls(held, files, model.no_assignee)


#: A stamp of completion is accepted with these statuses only (measured: E1051, E1052).
COMPLETED = {"ENROLLMENT": ("COMPLETED", "CANCELLED"), "EVENT": ("COMPLETED",)}

_CLIENT_STAMPS = ("createdAtClient", "updatedAtClient")
_PERSON = ("trackedEntity", "trackedEntityType", "orgUnit", *_CLIENT_STAMPS)
_ENROLLMENT = (
    *("enrollment", "program", "orgUnit", "status", "enrolledAt", "occurredAt"),
    *("completedAt", *_CLIENT_STAMPS),
)
_EVENT = (
    *("event", "programStage", "orgUnit", "status", "occurredAt", "scheduledAt"),
    *("completedAt", "attributeOptionCombo", *_CLIENT_STAMPS),
)
# An event of a program without registration is never planned (2.43: E1318; tracker-api 5).
_LONE_EVENT = tuple(name for name in _EVENT if name != "scheduledAt")
# A stamp of completion is accepted with these statuses only (measured: E1051, E1052).
_COMPLETED = {"enrollment": {"COMPLETED", "CANCELLED"}, "event": {"COMPLETED"}}


def person_payload(
    row: Payload, attributes: Iterable[Payload], enrollments: list[Payload]
) -> Payload:
    """Return a person with its own attributes, above *enrollments*."""
    payload = _scalars(row, _PERSON, "inactive", "potentialDuplicate")
    return {**payload, "attributes": _attributes(attributes), "enrollments": enrollments}


def enrollment_payload(
    row: Payload, attributes: Iterable[Payload], events: list[Payload]
) -> Payload:
    """Return an enrollment with its program's attributes, above *events*."""
    payload = _scalars(row, _ENROLLMENT, "followUp")
    payload |= {"attributes": _attributes(attributes), "events": events}
    return _without_stale_completion(payload, "enrollment")


def event_payload(row: Payload, values: Iterable[Payload], program: str) -> Payload:
    """Return an event with its values; below an enrollment, or alone where the row names none."""
    payload = _scalars(row, _EVENT if row["enrollment"] else _LONE_EVENT)
    payload["program"] = program
    if row["assignedUser"]:
        payload["assignedUser"] = {"username": row["assignedUser"]}
    payload["dataValues"] = [
        {
            "dataElement": value["dataElement"],
            "value": value["value"],
            "providedElsewhere": bool(value["providedElsewhere"]),
        }
        for value in values
    ]
    return _without_stale_completion(payload, "event")


def _scalars(row: Payload, texts: Iterable[str], *flags: str) -> Payload:
    payload = {name: row[name] for name in texts if row[name] is not None}
    payload |= {name: bool(row[name]) for name in flags}
    if row["geometry"] is not None:
        payload["geometry"] = json.loads(row["geometry"])
    return payload


def _attributes(rows: Iterable[Payload]) -> list[Payload]:
    return [{"attribute": row["attribute"], "value": row["value"]} for row in rows]


def _without_stale_completion(payload: Payload, kind: str) -> Payload:
    if payload.get("status") not in _COMPLETED[kind]:
        payload.pop("completedAt", None)
    return payload
