"""Reading tracker data: the requests a source is asked with, in its own dialect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dhis2_api.client import Params
from dhis2_api.dialects import Dialect


Listed = Literal["trackedEntities", "enrollments", "events"]

_LISTING_FIELDS: dict[Listed, str] = {
    "trackedEntities": "trackedEntity,orgUnit,updatedAt,deleted",
    "enrollments": "enrollment,trackedEntity,updatedAt,deleted",
    "events": "event,trackedEntity,updatedAt,deleted",
}

_STAMPS = "createdAt,updatedAt,createdAtClient,updatedAtClient,deleted,geometry"
_VALUES = "attributes[attribute,value]"
_EVENT_FIELDS = (
    "event,programStage,orgUnit,status,occurredAt,scheduledAt,completedAt,attributeOptionCombo,"
    f"assignedUser[username],{_STAMPS},dataValues[dataElement,value,providedElsewhere]"
)
_ENROLLMENT_FIELDS = (
    "enrollment,program,orgUnit,status,enrolledAt,occurredAt,completedAt,followUp,"
    f"{_STAMPS},{_VALUES},events[{_EVENT_FIELDS}]"
)

# Everything a copy needs and nothing else: explicit fields are up to eight times
# smaller than `*` (measured: Reading).
PERSON_FIELDS = (
    "trackedEntity,trackedEntityType,orgUnit,inactive,potentialDuplicate,"
    f"{_STAMPS},{_VALUES},enrollments[{_ENROLLMENT_FIELDS}]"
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of what exists, or of what was updated at or after an instant.

    Attributes:
        kind: Which list.
        program: The program whose rows are listed.
        org_units: The roots; everything below them is listed.
        updated_after: The lower bound, inclusive; nothing for everything.
        page_size: Rows a page.
    """

    kind: Listed
    program: str
    org_units: tuple[str, ...]
    updated_after: datetime | None
    page_size: int

    @property
    def path(self) -> str:
        """The list's path."""
        return f"/api/tracker/{self.kind}"


def listing_requests(listing: Listing, dialect: Dialect) -> Iterable[Params]:
    """Return the parameters of the requests that together are *listing*.

    Events take one org unit a request, the other lists take all (tracker-api 1.1).
    Never an upper bound, never `order=updatedAt`: both lose records (measured).
    """
    order = dialect.enrollment_order if listing.kind == "enrollments" else "createdAt:asc"
    params: dict[str, str | int] = {
        "program": listing.program,
        "orgUnitMode": "DESCENDANTS",
        "fields": _LISTING_FIELDS[listing.kind],
        "includeDeleted": "true",
        "pageSize": listing.page_size,
    }
    if order:
        params["order"] = order
    if listing.updated_after:
        params["updatedAfter"] = listing.updated_after.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if listing.kind == "events":
        return [{**params, "orgUnit": org_unit} for org_unit in listing.org_units]
    return [{**params, "orgUnits": ",".join(listing.org_units)}]


def by_uid(uids: Iterable[str], fields: str, *, page_size: int) -> Params:
    """Return the parameters that read tracked entities by UID, all their programs at once.

    Without `program`, because with it only one program's enrollments come (measured);
    with deleted ones, so that *gone* and *never existed* can be told apart.
    """
    return {
        "trackedEntities": ",".join(uids),
        "fields": fields,
        "includeDeleted": "true",
        "pageSize": page_size,
    }
