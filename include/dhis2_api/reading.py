"""Reading rows: lists and UID batches as JSON objects, spelled as the newest version does."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import (
    MOST_UIDS,
    UID_KEYS,
    Listed,
    Listing,
    by_uid,
    listing_requests,
)
from dhis2_api.paging import Asked, Envelope, Page, each_page, envelope_of


Row = dict[str, Any]

RELATIONSHIP_FIELDS = (
    "relationship,relationshipType,createdAt,updatedAt,"
    # Without fields of their own, both ends come whole (measured: 20 KB a relationship).
    "from[trackedEntity[trackedEntity],enrollment[enrollment],event[event]],"
    "to[trackedEntity[trackedEntity],enrollment[enrollment],event[event]]"
)


def read_list(client: Dhis2Client, listing: Listing, zone: ZoneInfo) -> Iterator[Row]:
    """Yield every row of a list.

    Rows may come twice: what is edited or added meanwhile moves others to a later page.

    Args:
        client: The server.
        listing: What is listed.
        zone: The zone of the server's stamps (`dhis2_api.system.Server.zone`).

    Raises:
        UnexpectedAnswer: The server ignored the lower bound, or answered no rows of this kind.
    """
    for asked in listing_requests(listing, client.dialect):
        for row in each_row(client, asked, UID_KEYS[listing.kind]):
            _check_bound(row, listing, zone, f"{client.name}: GET {asked.path}")
            yield row


def read_by_uid(
    client: Dhis2Client, kind: Listed, uids: Sequence[str], fields: str
) -> Iterator[Row]:
    """Yield each object of *uids* that the server has, living or deleted, once.

    *fields* must name the object's UID. Who does not come is asked for again, until
    nobody new does: a page may end early (measured: 2.40 counts enrollments).

    Raises:
        UnexpectedAnswer: Others came than were asked for.
    """
    for start in range(0, len(uids), MOST_UIDS):
        yield from _read_batch(client, kind, uids[start : start + MOST_UIDS], fields)


def read_relationships(
    client: Dhis2Client, end: Literal["trackedEntity", "enrollment", "event"], uid: str
) -> Iterator[Row]:
    """Yield the living relationships of one object; the lists take no more than one.

    Never with deleted ones: they come among the living without a flag (measured).
    """
    params: dict[str, str | int] = {end: uid, "fields": RELATIONSHIP_FIELDS, "pageSize": 1000}
    envelope = envelope_of(client.dialect, "relationships")
    yield from each_row(
        client, Asked("/api/tracker/relationships", params, envelope), "relationship"
    )


def each_row(client: Dhis2Client, asked: Asked, uid_key: str) -> Iterator[Row]:
    """Yield the rows of every page of a list, each with its UID.

    Raises:
        UnexpectedAnswer: An answer without the rows, or rows without UIDs.
    """
    what = f"{client.name}: GET {asked.path}"
    parse = partial(parse_rows, envelope=asked.envelope, uid_key=uid_key, what=what)
    for rows in each_page(client, asked, parse):
        yield from (as_newest(row, client.dialect) for row in rows)


def parse_rows(body: bytes, envelope: Envelope, uid_key: str, what: str) -> Page[list[Row]]:
    """Parse one page of a list.

    Raises:
        UnexpectedAnswer: The answer is cut, has another shape, or lacks its rows.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise UnexpectedAnswer(f"{what}: the answer is cut, or no JSON") from None
    rows = answer.get(envelope.rows) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(_has_uid(row, uid_key) for row in rows):
        raise UnexpectedAnswer(f"{what}: the answer has no `{envelope.rows}` with `{uid_key}`")
    pager = answer.get(envelope.pager) if envelope.pager else answer
    number = pager.get("page") if isinstance(pager, dict) else None
    if type(number) is not int:
        raise UnexpectedAnswer(f"{what}: the answer has no page number")
    pages = pager.get("pageCount")
    return Page(number, rows, bool(pager.get("nextPage")), pages if type(pages) is int else None)


def as_newest(row: Row, dialect: Dialect) -> Row:
    """Return a row with the names and separators of the newest version, at every level."""
    if dialect.event_follow_up in row:
        row["followUp"] = row.pop(dialect.event_follow_up)
    options = row.get("attributeCategoryOptions")
    if isinstance(options, str):
        row["attributeCategoryOptions"] = options.replace(dialect.options_separator, ",")
    for name in ("enrollments", "events"):
        for child in row.get(name) or ():
            as_newest(child, dialect)
    return row


def _has_uid(row: object, uid_key: str) -> bool:
    return isinstance(row, dict) and isinstance(row.get(uid_key), str)


def _read_batch(
    client: Dhis2Client, kind: Listed, uids: Collection[str], fields: str
) -> Iterator[Row]:
    key = UID_KEYS[kind]
    waiting = set(uids)
    came = True
    while waiting and came:
        asked = by_uid(client.dialect, kind, sorted(waiting), fields)
        what = f"{client.name}: GET {asked.path}"
        body = client.get_bytes(asked.path, asked.params)
        rows = {row[key]: row for row in parse_rows(body, asked.envelope, key, what).rows}
        if not rows.keys() <= waiting:
            raise UnexpectedAnswer(f"{what}: the server ignored the UIDs; others came")
        waiting -= rows.keys()
        came = bool(rows)
        yield from (as_newest(row, client.dialect) for row in rows.values())


def _check_bound(row: Row, listing: Listing, zone: ZoneInfo, what: str) -> None:
    if not listing.updated_after or "updatedAt" not in row:
        return
    try:
        updated = datetime.fromisoformat(row["updatedAt"]).replace(tzinfo=zone).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise UnexpectedAnswer(f"{what}: `updatedAt` of a row is no stamp") from None
    bound = listing.updated_after
    # A server that doesn't know a parameter ignores it (measured): then all rows come.
    if updated < bound.replace(microsecond=bound.microsecond // 1000 * 1000):
        raise UnexpectedAnswer(f"{what}: the server ignored `updatedAfter`; rows are older")
