"""The legacy rows: how an object of the old lists is said in the newest version's names."""

from __future__ import annotations

from typing import Any


# Legacy name -> newest name, at any level; a name means one thing only (tracker-api 8.3).
_RENAMED = {
    "trackedEntityInstance": "trackedEntity",
    "created": "createdAt",
    "lastUpdated": "updatedAt",
    "lastUpdatedAtClient": "updatedAtClient",
    "createdByUserInfo": "createdBy",
    "lastUpdatedByUserInfo": "updatedBy",
    "enrollmentDate": "enrolledAt",
    "incidentDate": "occurredAt",
    "eventDate": "occurredAt",
    "dueDate": "scheduledAt",
    "completedDate": "completedAt",
    "storedDate": "storedAt",
    "followup": "followUp",
    "ownerOrgUnit": "orgUnit",
}

# What the newest version does not say, or says by `geometry`.
_LEFT_OUT = {
    "coordinate",
    "coordinates",
    "featureType",
    "enrollmentStatus",
    "href",
    "orgUnitName",
    "programType",
}

_USER = "assignedUser"


def from_legacy(row: dict[str, Any]) -> dict[str, Any]:
    """Return a legacy row with the newest version's names, at every level."""
    kept = {name: value for name, value in row.items() if name not in _LEFT_OUT}
    renamed = {_RENAMED.get(name, name): _newest(name, value) for name, value in kept.items()}
    options = renamed.get("attributeCategoryOptions")
    if isinstance(options, str):
        renamed["attributeCategoryOptions"] = options.replace(";", ",")
    return _with_user(renamed)


def _newest(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_newest(name, item) for item in value]
    return from_legacy(value) if isinstance(value, dict) and name != "geometry" else value


def _with_user(row: dict[str, Any]) -> dict[str, Any]:
    """Gather `assignedUser`, `assignedUserUsername`… into one object."""
    names = [name for name in row if name.startswith(_USER) and row[name]]
    rest = {name: value for name, value in row.items() if not name.startswith(_USER)}
    user = {_user_key(name): row[name] for name in names}
    return {**rest, _USER: user} if user else rest


def _user_key(name: str) -> str:
    part = name.removeprefix(_USER)
    return part[:1].lower() + part[1:] if part else "uid"
