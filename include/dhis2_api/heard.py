"""Heard: did a server hear all that a list asks for, as the rows it answers with tell?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.evidence import evidence_fields, evidence_of
from dhis2_api.export import Listing, listing_requests
from dhis2_api.fields import UID_KEYS
from dhis2_api.json_pages import Row, parse_rows


_ROWS = 100


def check_heard(client: Dhis2Client, listing: Listing, zone: ZoneInfo) -> None:
    """Ask for the first rows of a list with what shows whether it was heard.

    Call it once before a list whose own rows do not show it: one small page a request.

    Args:
        client: The server.
        listing: The list that will be read.
        zone: The zone of the server's stamps.

    Raises:
        UnexpectedAnswer: The server ignored the lower bound or a part of the selection,
            as it does what it does not know (measured).
    """
    key = UID_KEYS[listing.kind]
    evidence = evidence_of(listing.selection, listing.kind)
    fields = ",".join([key, "updatedAt", *evidence_fields(evidence)])
    first = replace(listing, fields=fields, page_size=min(listing.page_size, _ROWS))
    strictly = replace(listing, fields="")
    for asked in listing_requests(first, client.dialect):
        what = f"{client.name}: GET {asked.path}"
        body = client.get_bytes(asked.path, {**asked.params, "page": 1})
        for row in parse_rows(body, asked.envelope, key, what).rows:
            check_bound(row, strictly, zone, what)
            check_selection({field: row.get(field) for field in evidence}, listing, what)


def check_bound(row: Row, listing: Listing, zone: ZoneInfo, what: str) -> None:
    """Refuse a row older than the list's lower bound.

    Raises:
        UnexpectedAnswer: The server ignored the bound; then all rows come.
    """
    stamp = row.get("updatedAt")
    if not listing.updated_after or (stamp is None and listing.fields):
        return
    try:
        updated = _latest(datetime.fromisoformat(stamp or ""), zone)
    except (TypeError, ValueError, OverflowError):
        raise UnexpectedAnswer(f"{what}: `updatedAt` of a row is no stamp") from None
    # The milliseconds aside: not every list takes them.
    if updated < listing.updated_after.replace(microsecond=0):
        raise UnexpectedAnswer(f"{what}: the server ignored the lower bound; rows are older")


def _latest(stamp: datetime, zone: ZoneInfo) -> datetime:
    """Return a zone-less stamp's instant: the later of two, in the hour that a clock repeats."""
    return max(stamp.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def check_selection(row: Row, listing: Listing, what: str) -> None:
    """Refuse a row that shows that it was not selected.

    Raises:
        UnexpectedAnswer: The server ignored a part of the selection.
    """
    for field, may_be in evidence_of(listing.selection, listing.kind).items():
        if field in row and not may_be(row[field]):
            raise UnexpectedAnswer(f"{what}: the server ignored what selects by `{field}`")
