"""The data there: does the destination hold records, or values, that a change would touch?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, Unauthorized, UnexpectedAnswer
from dhis2_api.export import Listing, listing_requests
from dhis2_api.fields import UID_KEYS
from dhis2_api.json_pages import Row
from dhis2_api.metadata import Fields
from dhis2_api.metadata_classes import Asked, read_many
from dhis2_api.paging import Asked as AskedList
from dhis2_api.reading import each_row
from dhis2_api.selection import Filter, Selection
from dhis2_api.selection_params import filter_text


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
    "programStages": ("programStageDataElements", "dataElement"),
    "programs": ("programTrackedEntityAttributes", "trackedEntityAttribute"),
    "trackedEntityTypes": ("trackedEntityTypeAttributes", "trackedEntityAttribute"),
}

#: What no value is: `NULL` as an operator is known from 2.42 on only (tracker-api 9), and a
#: number is a condition that values of each type can be compared with.
_NOBODYS = "-987654321"

_PAGE = 1_000


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


def any_value(uid: str) -> Filter:
    """Return the condition that there is a value of an attribute or a data element."""
    return Filter(uid, "NE", (_NOBODYS,))


@dataclass(frozen=True, slots=True)
class DataThere:
    """Looks for one record that a change would touch.

    Every program and type that uses an object is looked into, of the route or not, as far
    as the account sees. What it may not look into counts as data.

    Attributes:
        client: The destination.
    """

    client: Dhis2Client
    _users: dict[str, list[tuple[Place, frozenset[str]]]] = field(default_factory=dict)

    def holds(self, plural: str, uid: str) -> bool:
        """Whether there is a record of a program, a stage or a type that uses an object.

        Args:
            plural: `dataElements` or `trackedEntityAttributes`.
            uid: Its UID.
        """
        return any(self.has(place) for place in self.places(plural, uid))

    def has_values(self, plural: str, uid: str, condition: Filter | None = None) -> bool:
        """Whether there is a value of an object, or one that fits a condition."""
        wanted = condition or any_value(uid)
        return any(self.has(place, wanted) for place in self.places(plural, uid))

    def has(self, place: Place, condition: Filter | None = None) -> bool:
        """Whether there is a record in a place, or one whose value fits a condition."""
        asked = self._asked(place, 1, condition=condition)
        try:
            answer = self.client.get(asked.path, {**asked.params, "page": 1})
        except (RequestRefused, Unauthorized):
            return True  # an account without org units: 409 or 403, by version
        rows = answer.get(asked.envelope.rows) if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise UnexpectedAnswer(f"{self.client.name}: GET {asked.path} answered no list")
        return bool(rows)

    def rows(self, place: Place, fields: str) -> Iterator[Row]:
        """Give all records of a place, page by page.

        Raises:
            RequestRefused: The account may not look there.
            Unauthorized: The same.
        """
        uid_key = UID_KEYS["events" if place.plural == "programStages" else "trackedEntities"]
        yield from each_row(self.client, self._asked(place, _PAGE, fields), uid_key)

    def places(self, plural: str, uid: str) -> list[Place]:
        """Return the programs, types or stages that use an attribute or a data element."""
        if plural not in self._users:
            found = read_many(self.client, _USERS[plural]).items()
            self._users[plural] = [
                _use(asked.plural, user) for asked, users in found for user in users.values()
            ]
        return [place for place, used in self._users[plural] if uid in used]

    def with_options(self, option_set: str) -> list[tuple[str, Fields]]:
        """Return class and fields of the attributes and data elements that have an option set."""
        asked = [
            Asked(plural, "optionSet.id:in", (option_set,), fields="id,valueType")
            for plural in _USERS
        ]
        found = read_many(self.client, asked).items()
        return [(one.plural, fields) for one, by_uid in found for fields in by_uid.values()]

    def _asked(
        self, place: Place, size: int, fields: str = "", condition: Filter | None = None
    ) -> AskedList:
        (asked,) = listing_requests(_listing(place, size, fields, condition), self.client.dialect)
        if place.plural != "programStages" or condition is None:
            return asked
        # Of events `filter` is about data elements; a selection's are about attributes.
        about = {"filter": filter_text((condition,), self.client.dialect)}
        return AskedList(asked.path, {**asked.params, **about}, asked.envelope)


def _use(plural: str, user: Fields) -> tuple[Place, frozenset[str]]:
    rows, joined = _ROWS[plural]
    used = frozenset((row.get(joined) or {}).get("id", "") for row in user.get(rows) or [])
    return Place(plural, user["id"], (user.get("program") or {}).get("id", "")), used


def _listing(place: Place, size: int, fields: str, condition: Filter | None) -> Listing:
    people = Listing(
        "trackedEntities",
        place.uid,
        (),
        None,
        size,
        mode="ACCESSIBLE",
        selection=Selection(filters=(condition,) if condition else ()),
        fields=fields,
        living=True,
    )
    if place.plural == "trackedEntityTypes":
        return replace(people, program="", tracked_entity_type=place.uid)
    if place.plural == "programStages":
        of_stage = Selection(program_stage=place.uid)
        return replace(people, kind="events", program=place.program, selection=of_stage)
    return people
