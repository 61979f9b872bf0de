"""The trees: staged rows as the tracker payload of each person, ready to import.

Server-owned fields are left out (tracker-api 3.2), business dates stay the text
that came, scalars are always sent, because leaving one out resets it (tracker-api
4). Both servers are read into the same shape, so that they can be compared.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tracker_sync.tables import Tables


Kind = Literal["TRACKED_ENTITY", "ENROLLMENT", "EVENT"]
KINDS: tuple[Kind, ...] = ("TRACKED_ENTITY", "ENROLLMENT", "EVENT")
Payload = dict[str, Any]

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
# A stamp of completion is accepted with these statuses only (measured: E1051, E1052).
_COMPLETED = {"enrollment": {"COMPLETED", "CANCELLED"}, "event": {"COMPLETED"}}

# The group of the attributes that are the person's own, not an enrollment's.
_OWN = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One object as it was read.

    Attributes:
        kind: What it is.
        uid: Its UID.
        updated_at: The server's stamp, as the server's zone-less clock gave it.
        deleted: Whether it is a tombstone.
    """

    kind: Kind
    uid: str
    updated_at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """One person with all below: what lives, as a payload, and every version read.

    Attributes:
        uid: The tracked entity.
        payload: Import JSON, nested; empty if the person is deleted.
        versions: The person, the enrollments and the events, tombstones too.
    """

    uid: str
    payload: Payload
    versions: tuple[Version, ...]


def grow(tables: Tables) -> list[Tree]:
    """Return the trees of a closed set of people, as `tables.flatten` staged them."""
    rows = {name: _grouped(table.to_pylist(), "trackedEntity") for name, table in tables.items()}
    return [_tree(person, rows) for person in tables["tracked_entities"].to_pylist()]


_Rows = Mapping[str, Mapping[str, list[Payload]]]


def _grouped(rows: Iterable[Payload], key: str) -> defaultdict[str, list[Payload]]:
    groups: defaultdict[str, list[Payload]] = defaultdict(list)
    for row in rows:
        groups[row[key] or _OWN].append(row)
    return groups


def _tree(person: Payload, rows: _Rows) -> Tree:
    uid = person["trackedEntity"]
    enrollments = rows["enrollments"].get(uid, [])
    events = rows["events"].get(uid, [])
    _bury_the_children(person, enrollments, events)
    versions = (
        _version("TRACKED_ENTITY", "trackedEntity", person),
        *(_version("ENROLLMENT", "enrollment", row) for row in enrollments),
        *(_version("EVENT", "event", row) for row in events),
    )
    if person["deleted"]:
        return Tree(uid, {}, versions)
    attributes = _grouped(rows["attributes"].get(uid, []), "enrollment")
    values = _grouped(rows["data_values"].get(uid, []), "event")
    below = _grouped((row for row in events if not row["deleted"]), "enrollment")
    payload = _scalars(person, _PERSON, "inactive", "potentialDuplicate")
    payload["attributes"] = _attributes(attributes.get(_OWN, []))
    payload["enrollments"] = [
        _enrollment(row, attributes, [_event(e, row, values) for e in below[row["enrollment"]]])
        for row in enrollments
        if not row["deleted"]
    ]
    return Tree(uid, payload, versions)


def _bury_the_children(
    person: Payload, enrollments: Iterable[Payload], events: Iterable[Payload]
) -> None:
    """Mark as deleted what stands below something deleted.

    DHIS2 takes an event for a deleted enrollment, and nobody will see it (measured: Flows).
    """
    for enrollment in enrollments:
        enrollment["deleted"] = enrollment["deleted"] or person["deleted"]
    gone = {row["enrollment"] for row in enrollments if row["deleted"]}
    for event in events:
        event["deleted"] = event["deleted"] or event["enrollment"] in gone


def _version(kind: Kind, key: str, row: Payload) -> Version:
    return Version(kind, row[key], row["updatedAt"], bool(row["deleted"]))


def _enrollment(
    row: Payload, attributes: Mapping[str, list[Payload]], events: list[Payload]
) -> Payload:
    payload = _scalars(row, _ENROLLMENT, "followUp")
    payload["attributes"] = _attributes(attributes.get(row["enrollment"], []))
    payload["events"] = events
    return _without_stale_completion(payload, "enrollment")


def _event(row: Payload, enrollment: Payload, values: Mapping[str, list[Payload]]) -> Payload:
    payload = _scalars(row, _EVENT)
    payload["program"] = enrollment["program"]
    if row["assignedUser"]:
        payload["assignedUser"] = {"username": row["assignedUser"]}
    payload["dataValues"] = [
        {
            "dataElement": value["dataElement"],
            "value": value["value"],
            "providedElsewhere": bool(value["providedElsewhere"]),
        }
        for value in values.get(row["event"], [])
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
