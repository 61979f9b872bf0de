"""The legacy lists: what old sources (2.40, 2.41) answer there, as the newest version says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import LastPage
from dhis2_api.errors import PermanentError, UnsupportedVersion
from dhis2_api.export import Listing, check_scope
from dhis2_api.fields import Listed
from dhis2_api.json_pages import Row
from dhis2_api.legacy_rows import from_legacy
from dhis2_api.paging import Asked, Envelope
from dhis2_api.reading import check_bound, each_row
from dhis2_api.selection import Filter, Selection, parts_of


@dataclass(frozen=True, slots=True)
class _List:
    """One legacy list (tracker-api 8.1).

    Attributes:
        name: Its path below `/api/`, and the key of its rows.
        uid: The key of a row's UID.
        org_units: Its org units.
        updated_after: Its lower bound.
        last_page: How its end is known.
        fields: What a listing needs.
        selection: What it calls the parts of a selection.
    """

    name: str
    uid: str
    org_units: str
    updated_after: str
    last_page: LastPage
    fields: str
    selection: dict[str, str]


_ENROLLMENT = {"enrollment_status": "programStatus", "follow_up": "followUp"}

_LISTS: dict[Listed, _List] = {
    "trackedEntities": _List(
        "trackedEntityInstances",
        uid="trackedEntityInstance",
        org_units="ou",
        updated_after="lastUpdatedStartDate",
        last_page="counted",
        fields="trackedEntityInstance,orgUnit,lastUpdated,deleted",
        selection={
            **_ENROLLMENT,
            "program_stage": "programStage",
            "event_status": "eventStatus",
            "occurred_after": "eventStartDate",
            "occurred_before": "eventEndDate",
        },
    ),
    "enrollments": _List(
        "enrollments",
        uid="enrollment",
        org_units="ou",
        updated_after="lastUpdated",
        last_page="flagged",
        fields="enrollment,trackedEntityInstance,lastUpdated,deleted",
        selection=_ENROLLMENT,
    ),
    "events": _List(
        "events",
        uid="event",
        org_units="orgUnit",
        updated_after="lastUpdatedStartDate",
        last_page="flagged",
        fields="event,trackedEntityInstance,lastUpdated,deleted",
        selection={
            **_ENROLLMENT,
            "program_stage": "programStage",
            "event_status": "status",
            "occurred_after": "startDate",
            "occurred_before": "endDate",
        },
    ),
}


def read_legacy_list(client: Dhis2Client, listing: Listing, zone: ZoneInfo) -> Iterator[Row]:
    """Yield every row of a legacy list with the newest version's names.

    Only people come in an order that edits do not change; where events or enrollments
    are edited meanwhile, their lists can lose, and `dhis2_api.reading` does not.

    Args:
        client: The server.
        listing: What is listed; its `fields` in legacy names.
        zone: The zone of the server's stamps.

    Raises:
        UnsupportedVersion: The server is 2.42 or newer, where there are no such lists.
        PermanentError: No legacy list can be asked for this.
        UnexpectedAnswer: The server ignored the lower bound, or answered no rows of this kind.
    """
    if not client.dialect.legacy:
        raise UnsupportedVersion(
            f"{client.name}: DHIS2 {client.dialect.version} has no legacy lists: "
            "read from /api/tracker"
        )
    there = _LISTS[listing.kind]
    for asked in _requests(listing, there, zone):
        for row in each_row(client, asked, there.uid):
            newest = from_legacy(row)
            check_bound(newest, listing, zone, f"{client.name}: GET {asked.path}")
            yield newest


def _requests(listing: Listing, there: _List, zone: ZoneInfo) -> list[Asked]:
    check_scope(listing)
    bound = listing.updated_after
    params: dict[str, Any] = {
        "ouMode": listing.mode,
        "program": listing.program,
        "trackedEntityType": listing.tracked_entity_type,
        "fields": listing.fields or there.fields,
        "includeDeleted": "" if listing.tracked_entity_type else "true",
        "pageSize": listing.page_size,
        # Without a count these answers have no pager at all (recordings: legacy-teis).
        "totalPages": "true" if there.last_page == "counted" else "",
        # In the server's own zone: whether a `Z` is understood here was never measured.
        there.updated_after: bound and bound.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S"),
        **_selected(listing.selection, listing.kind, there),
    }
    given = {name: value for name, value in params.items() if value}
    envelope = Envelope(there.name, "pager", there.last_page)
    return [
        Asked(f"/api/{there.name}", {**given, **scope}, envelope)
        for scope in _org_units(listing, there)
    ]


def _org_units(listing: Listing, there: _List) -> list[dict[str, str]]:
    if not listing.org_units:
        return [{}]
    if listing.kind == "events":
        return [{there.org_units: org_unit} for org_unit in listing.org_units]
    return [{there.org_units: ";".join(listing.org_units)}]


def _selected(selection: Selection, kind: str, there: _List) -> dict[str, Any]:
    parts = parts_of(selection)
    unknown = sorted(parts.keys() - there.selection.keys())
    if unknown or (selection.filters and kind != "trackedEntities"):
        what = ", ".join(unknown) or "filters"
        raise PermanentError(f"the legacy list of {kind} cannot be selected by {what}")
    named = {there.selection[part]: text for part, text in parts.items()}
    return {**named, "attribute": [_filter(item) for item in selection.filters]}


def _filter(item: Filter) -> str:
    # There is no way to escape here (tracker-api 9).
    if any(re.search("[:;,]", value) for value in item.values):
        raise PermanentError(f"a value of the filter on {item.attribute} holds one of : ; ,")
    return f"{item.attribute}:{item.operator}:{';'.join(item.values)}"
