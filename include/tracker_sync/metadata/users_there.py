"""The users there: which programs, types and stages have an attribute or a data element?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import Fields
from dhis2_api.metadata_classes import Asked, read_many
from tracker_sync.metadata.classes import JOINED_BY


#: What uses an attribute or a data element: the classes, and what of them says so. A server has
#: few of them, and only a change that data could stand against has them read.
_USERS = {
    "trackedEntityAttributes": (
        Asked(
            "programs",
            fields="id,programTrackedEntityAttributes[trackedEntityAttribute[id]]",
        ),
        Asked(
            "trackedEntityTypes",
            fields="id,trackedEntityTypeAttributes[trackedEntityAttribute[id]]",
        ),
    ),
    "dataElements": (
        Asked(
            "programStages",
            fields="id,program[id],programStageDataElements[dataElement[id]]",
        ),
    ),
}

_ROWS = {
    "programStages": "programStageDataElements",
    "programs": "programTrackedEntityAttributes",
    "trackedEntityTypes": "trackedEntityTypeAttributes",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where records or values stand.

    Attributes:
        plural: `programs`, `trackedEntityTypes` or `programStages`.
        uid: Its UID.
        program: Of a stage.
    """

    plural: str
    uid: str
    program: str = ""


def users_of(client: Dhis2Client, plural: str) -> list[tuple[Place, frozenset[str]]]:
    """Return all places that can hold values, each with the objects that it uses.

    Args:
        client: The server.
        plural: `dataElements` or `trackedEntityAttributes`.
    """
    found = read_many(client, _USERS[plural]).items()
    return [_use(asked.plural, user) for asked, users in found for user in users.values()]


def with_options(client: Dhis2Client, option_set: str) -> list[tuple[str, Fields]]:
    """Return class and fields of the attributes and data elements that have an option set."""
    asked = [
        Asked(plural, "optionSet.id:in", (option_set,), fields="id,valueType") for plural in _USERS
    ]
    found = read_many(client, asked).items()
    return [(one.plural, fields) for one, by_uid in found for fields in by_uid.values()]


def place_of(plural: str, user: Fields) -> Place:
    """Return where the records of a program, type or stage stand."""
    return Place(plural, user["id"], str((user.get("program") or {}).get("id", "")))


def rows_of(plural: str, user: Fields) -> Iterator[tuple[str, Fields]]:
    """Yield the attributes or data elements of a program, type or stage: UID, and their row."""
    name = _ROWS[plural]
    for row in user.get(name) or []:
        yield str((row.get(JOINED_BY[name]) or {}).get("id", "")), row


def _use(plural: str, user: Fields) -> tuple[Place, frozenset[str]]:
    return place_of(plural, user), frozenset(uid for uid, _ in rows_of(plural, user))
