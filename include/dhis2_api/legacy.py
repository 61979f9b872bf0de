"""The legacy lists: what old sources (2.40, 2.41) answer there, as the newest version says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError, UnsupportedVersion
from dhis2_api.export import Listing, check_scope
from dhis2_api.heard import check_bound, check_selection
from dhis2_api.json_pages import Row
from dhis2_api.legacy_lists import LEGACY_LISTS, LegacyList
from dhis2_api.legacy_rows import from_legacy
from dhis2_api.paging import Asked, Envelope
from dhis2_api.reading import each_row
from dhis2_api.selection import Filter, Selection
from dhis2_api.selection_params import check_values, parts_of


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
        UnexpectedAnswer: The server ignored the lower bound or what selects, so far as its
            rows show, or answered no rows of this kind.
    """
    if not client.dialect.legacy:
        raise UnsupportedVersion(
            f"{client.name}: DHIS2 {client.dialect.version} has no legacy lists: "
            "read from /api/tracker"
        )
    there = LEGACY_LISTS[listing.kind]
    listing = replace(listing, updated_after=_said_once(listing.updated_after, zone))
    for asked in _requests(listing, there, zone):
        what = f"{client.name}: GET {asked.path}"
        for row in each_row(client, asked, there.uid):
            newest = from_legacy(row)
            check_bound(newest, listing, zone, what)
            check_selection(newest, listing, what)
            yield newest


def _said_once(bound: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return the bound; in the hour that a clock repeats, an instant before both readings."""
    if bound is None:
        return None
    first = bound.astimezone(zone).replace(fold=0)
    # What a clock shows again, it shows later by so much.
    repeated = first.replace(fold=1).astimezone(UTC) - first.astimezone(UTC)
    return first.astimezone(UTC) - repeated if repeated else bound


def _requests(listing: Listing, there: LegacyList, zone: ZoneInfo) -> list[Asked]:
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


def _org_units(listing: Listing, there: LegacyList) -> list[dict[str, str]]:
    if not listing.org_units:
        return [{}]
    if listing.kind == "events":
        return [{there.org_units: org_unit} for org_unit in listing.org_units]
    return [{there.org_units: ";".join(listing.org_units)}]


def _selected(selection: Selection, kind: str, there: LegacyList) -> dict[str, Any]:
    parts = parts_of(selection)
    unknown = sorted(parts.keys() - there.selection.keys())
    if unknown or (selection.filters and kind != "trackedEntities"):
        what = ", ".join(unknown) or "filters"
        raise PermanentError(f"the legacy list of {kind} cannot be selected by {what}")
    named = {there.selection[part]: text for part, text in parts.items()}
    return {**named, "attribute": [_filter(item) for item in selection.filters]}


def _filter(item: Filter) -> str:
    check_values(item)
    # There is no way to escape here (tracker-api 9).
    if any(re.search("[:;,]", value) for value in item.values):
        raise PermanentError(f"a value of the filter on {item.attribute} holds one of : ; ,")
    return f"{item.attribute}:{item.operator}:{';'.join(item.values)}"
