"""How do tracker objects look at the addresses before /api/tracker?"""

import json
from collections.abc import Mapping
from typing import Any

from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


#: The tracker listing behind each address.
LEGACY_ROWS: Mapping[str, str] = {
    "trackedEntityInstances": "trackedEntities",
    "enrollments": "enrollments",
    "events": "events",
}
_COMMON: Mapping[str, str] = {
    "createdAt": "created",
    "createdAtClient": "createdAtClient",
    "updatedAt": "lastUpdated",
    "updatedAtClient": "lastUpdatedAtClient",
    "createdBy": "createdByUserInfo",
    "updatedBy": "lastUpdatedByUserInfo",
    "trackedEntity": "trackedEntityInstance",
    "followUp": "followup",
    "completedAt": "completedDate",
    "storedAt": "storedDate",
}
#: What occurredAt and its like are called, per kind of object (tracker-api 8.3).
_DATES: Mapping[str, Mapping[str, str]] = {
    "enrollments": {"enrolledAt": "enrollmentDate", "occurredAt": "incidentDate"},
    "events": {"occurredAt": "eventDate", "scheduledAt": "dueDate"},
    "programOwners": {"orgUnit": "ownerOrgUnit"},
}
_LISTS = frozenset({"enrollments", "events", "attributes", "dataValues", "notes", "programOwners"})
_WITHOUT: Mapping[str, frozenset[str]] = {
    "notes": frozenset({"createdBy"}),
    "events": frozenset({"assignedUser"}),
}
_EMPTY: Mapping[str, tuple[str, ...]] = {
    "enrollments": ("notes", "relationships", "events", "attributes")
}


def legacy_view(name: str, view: Members, model: Model, base_url: str) -> Members:
    """Return an object under its legacy names, with what only the legacy view shows."""
    empty: Members = {member: [] for member in _EMPTY.get(name, ())}
    found = empty | _renamed(name, view)
    if name == "trackedEntityInstances":
        return _person(found)
    if name == "enrollments":
        return _enrollment(found, model)
    return _event(found, model) | {"href": f"{base_url}/api/events/{found['event']}"}


def _renamed(name: str, view: Members) -> Members:
    names = {**_COMMON, **_DATES.get(name, {})}
    gone = _WITHOUT.get(name, frozenset())
    return {
        names.get(member, member): _inside(member, value)
        for member, value in view.items()
        if member not in gone
    }


def _inside(member: str, value: Any) -> Any:
    if member in _LISTS and isinstance(value, list):
        return [_renamed(member, item) for item in value]
    return value


def _person(found: Members) -> Members:
    enrollments = [
        {
            **enrollment,
            "trackedEntityType": found["trackedEntityType"],
            "events": [
                {**event, "enrollmentStatus": enrollment["status"]}
                for event in enrollment.get("events", [])
            ],
        }
        for enrollment in found.get("enrollments", [])
    ]
    return {"featureType": "NONE"} | found | _point(found) | {"enrollments": enrollments}


def _enrollment(found: Members, model: Model) -> Members:
    entity_type = (model.program(found["program"]) or {}).get("trackedEntityType") or {}
    return found | _point(found) | {"trackedEntityType": entity_type.get("id")}


def _event(found: Members, model: Model) -> Members:
    if model.has_registration(found["program"]):
        return found | {"programType": "WITH_REGISTRATION"}
    alone = {name: value for name, value in found.items() if name not in {"enrollment", "followup"}}
    return alone | {"programType": "WITHOUT_REGISTRATION"}


def _point(found: Members) -> Members:
    """Return the members in which geometries were kept before they were GeoJSON."""
    geometry = found.get("geometry") or {}
    if not geometry:
        return {}
    text = json.dumps(geometry.get("coordinates"), separators=(",", ":"))
    return {"featureType": str(geometry.get("type", "")).upper(), "coordinates": text}
