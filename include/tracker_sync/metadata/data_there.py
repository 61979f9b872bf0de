"""The data there: does the destination hold records, or values, that a change would touch?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, Unauthorized, UnexpectedAnswer
from dhis2_api.export import Listing, listing_requests
from dhis2_api.fields import UID_KEYS
from dhis2_api.json_pages import Row
from dhis2_api.paging import Asked
from dhis2_api.reading import each_row
from dhis2_api.selection import Filter, Selection
from dhis2_api.selection_params import filter_text
from tracker_sync.metadata.users_there import Place, users_of


#: What no value is: `NULL` as an operator is known from 2.42 on only (tracker-api 9), and a
#: number is a condition that values of each type can be compared with.
_NOBODYS = "-987654321"

_PAGE = 1_000


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
            self._users[plural] = users_of(self.client, plural)
        return [place for place, used in self._users[plural] if uid in used]

    def _asked(
        self, place: Place, size: int, fields: str = "", condition: Filter | None = None
    ) -> Asked:
        (asked,) = listing_requests(_listing(place, size, fields, condition), self.client.dialect)
        if place.plural != "programStages" or condition is None:
            return asked
        # Of events `filter` is about data elements; a selection's are about attributes.
        about = {"filter": filter_text((condition,), self.client.dialect)}
        return Asked(asked.path, {**asked.params, **about}, asked.envelope)


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
