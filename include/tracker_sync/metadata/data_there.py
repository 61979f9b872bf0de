"""The data there: does the destination hold values of a data element or an attribute?"""

from __future__ import annotations

from collections.abc import Iterator

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, Unauthorized, UnexpectedAnswer
from dhis2_api.export import Listing, listing_requests
from dhis2_api.metadata import Fields
from dhis2_api.metadata_classes import Asked, read_many


#: What uses an attribute or a data element: the classes, and what of them says so. A server has
#: few of them, and only a value type that differs has them read.
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
    "programStages": ("programStageDataElements", "dataElement"),
    "programs": ("programTrackedEntityAttributes", "trackedEntityAttribute"),
    "trackedEntityTypes": ("trackedEntityTypeAttributes", "trackedEntityAttribute"),
}


class DataThere:
    """Looks for one record that could hold a value; it never reads a value.

    Every program and type that uses the object is looked into, of the route or not, as far
    as the account sees. What it may not look into counts as data.
    """

    def __init__(self, client: Dhis2Client) -> None:
        self._client = client

    def holds(self, plural: str, uid: str) -> bool:
        """Whether there is a record of a program or a type that uses an object.

        Args:
            plural: `dataElements` or `trackedEntityAttributes`.
            uid: Its UID.
        """
        return any(self._has_rows(listing) for listing in self._listings(plural, uid))

    def _listings(self, plural: str, uid: str) -> Iterator[Listing]:
        for asked, users in read_many(self._client, _USERS[plural]).items():
            for user in users.values():
                if _uses(asked.plural, user, uid):
                    yield _listing(asked.plural, user)

    def _has_rows(self, listing: Listing) -> bool:
        (asked,) = listing_requests(listing, self._client.dialect)
        try:
            answer = self._client.get(asked.path, {**asked.params, "page": 1})
        except (RequestRefused, Unauthorized):
            return True  # an account without org units: 409 or 403, by version
        rows = answer.get(asked.envelope.rows) if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise UnexpectedAnswer(f"{self._client.name}: GET {asked.path} answered no list")
        return bool(rows)


def _uses(plural: str, user: Fields, uid: str) -> bool:
    rows, joined = _ROWS[plural]
    return any((row.get(joined) or {}).get("id") == uid for row in user.get(rows) or [])


def _listing(plural: str, user: Fields) -> Listing:
    if plural == "programStages":
        program = str((user.get("program") or {}).get("id", ""))
        return Listing("events", program, (), None, 1, mode="ACCESSIBLE", living=True)
    of_type = {"tracked_entity_type": user["id"]} if plural == "trackedEntityTypes" else {}
    program = "" if of_type else user["id"]
    return Listing(
        "trackedEntities", program, (), None, 1, mode="ACCESSIBLE", living=True, **of_type
    )
