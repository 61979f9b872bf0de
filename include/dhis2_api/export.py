"""Reading tracker data: the requests a source is asked with, in its own dialect."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from dhis2_api.dialects import Dialect
from dhis2_api.errors import PermanentError
from dhis2_api.fields import LISTING_FIELDS, Listed
from dhis2_api.paging import Asked, envelope_of
from dhis2_api.selection import EVERYTHING, Selection
from dhis2_api.selection_params import selection_params


OrgUnitMode = Literal["SELECTED", "CHILDREN", "DESCENDANTS", "ACCESSIBLE", "CAPTURE", "ALL"]

#: 300 UIDs make a URL of 4,300 characters, which passes; one above 8,000 does not (measured).
MOST_UIDS = 300


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of what exists, or of what was updated at or after an instant.

    Attributes:
        kind: Which list.
        program: The program whose rows are listed; empty only for tracked entities by type.
        org_units: The roots; none where the mode names a scope of the account's.
        updated_after: The lower bound, inclusive; nothing for everything.
        page_size: Rows a page.
        tracked_entity_type: The type, for tracked entities of any program or none.
        mode: What of the org units is listed.
        selection: Which rows are wanted.
        fields: What of each row; empty for what a listing needs.
        living: Whether only what lives is wanted, e.g. to know whom a selection holds.
    """

    kind: Listed
    program: str
    org_units: tuple[str, ...]
    updated_after: datetime | None
    page_size: int
    tracked_entity_type: str = ""
    mode: OrgUnitMode = "DESCENDANTS"
    selection: Selection = EVERYTHING
    fields: str = ""
    living: bool = False

    @property
    def path(self) -> str:
        """The list's path."""
        return f"/api/tracker/{self.kind}"


def listing_requests(listing: Listing, dialect: Dialect) -> Iterable[Asked]:
    """Return the requests that together are *listing*.

    Events take one org unit a request, the other lists take all (tracker-api 1.1).
    Never an upper bound, never `order=updatedAt`: both lose records (measured).

    Raises:
        PermanentError: No server answers such a list.
    """
    check_scope(listing)
    order = dialect.enrollment_order if listing.kind == "enrollments" else "createdAt:asc"
    params: dict[str, str | int] = {
        dialect.org_unit_mode: listing.mode,
        "fields": listing.fields or LISTING_FIELDS[listing.kind],
        "includeDeleted": includes_deleted(listing, dialect),
        "pageSize": listing.page_size,
        "program": listing.program,
        "trackedEntityType": listing.tracked_entity_type,
        "order": order,
        "updatedAfter": in_utc(listing.updated_after) if listing.updated_after else "",
        **selection_params(listing.selection, listing.kind, dialect),
    }
    given = {name: value for name, value in params.items() if value != ""}
    envelope = envelope_of(dialect, listing.kind)
    return [
        Asked(listing.path, {**given, **scope}, envelope) for scope in _org_units(listing, dialect)
    ]


def check_scope(listing: Listing) -> None:
    """Refuse a list that every server refuses, or answers with other rows.

    Raises:
        PermanentError: The message says what to change.
    """
    by_type = bool(listing.tracked_entity_type)
    if by_type == bool(listing.program) or (by_type and listing.kind != "trackedEntities"):
        raise PermanentError(f"a list of {listing.kind} needs a program, or people a type instead")
    if bool(listing.org_units) == (listing.mode in {"ACCESSIBLE", "CAPTURE", "ALL"}):
        raise PermanentError(f"mode {listing.mode} and org units do not go together as given")


def includes_deleted(listing: Listing, dialect: Dialect) -> str:
    """Return whether deleted rows come too: wherever they are wanted and the server can."""
    can = dialect.deleted_by_type or not listing.tracked_entity_type
    return "true" if can and not listing.living else "false"


def in_utc(instant: datetime) -> str:
    """Return an instant as every version reads it, to the millisecond (measured: Zones).

    A `Z` at the end, since a bound without one is read in the server's own zone.
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _org_units(listing: Listing, dialect: Dialect) -> list[dict[str, str]]:
    if not listing.org_units:
        return [{}]
    if listing.kind == "events":
        return [{"orgUnit": org_unit} for org_unit in listing.org_units]
    return [{dialect.org_units: dialect.separator.join(listing.org_units)}]


def by_uid(
    dialect: Dialect,
    kind: Listed,
    uids: Collection[str],
    fields: str,
    program: str = "",
    *,
    living: bool = False,
) -> Asked:
    """Return the request that reads up to `MOST_UIDS` objects by UID.

    People without a program, because with it only one program's enrollments come
    (measured); with deleted ones, so that *gone* and *never existed* can be told apart,
    unless only the *living* are asked for, as they must be for `fields.RELATED_FIELDS`
    (deleted relationships carry no flag; measured); and with a page several times as
    long, since 2.40 counts enrollments (measured: Reading).

    Raises:
        PermanentError: The server must know the program.
    """
    if kind != "trackedEntities" and dialect.needs_program and not program:
        raise PermanentError(f"DHIS2 {dialect.version} reads {kind} only of a program: name it")
    names = {
        "trackedEntities": dialect.tracked_entities,
        "enrollments": dialect.enrollments,
        "events": dialect.events,
    }
    params: dict[str, str | int] = {
        names[kind]: dialect.separator.join(uids),
        "fields": fields,
        "includeDeleted": "false" if living else "true",
        "page": 1,
        "pageSize": _ROWS_A_UID * len(uids),
    }
    within = {"program": program} if program else {}
    return Asked(f"/api/tracker/{kind}", {**params, **within}, envelope_of(dialect, kind))


_ROWS_A_UID = 3
