"""Reading rows: lists and UID batches as JSON objects, spelled as the newest version does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import MOST_UIDS, Listing, by_uid, listing_requests
from dhis2_api.fields import RELATIONSHIP_FIELDS, UID_KEYS, Listed
from dhis2_api.heard import check_bound, check_heard
from dhis2_api.json_pages import Row, parse_rows
from dhis2_api.paging import Asked, each_page, envelope_of
from dhis2_api.selection import EVERYTHING


def read_list(client: Dhis2Client, listing: Listing, zone: ZoneInfo) -> Iterator[Row]:
    """Yield every row of a list, read once from its first page to its last.

    Rows may come twice: what is edited or added meanwhile moves others to a later page.
    What leaves the list meanwhile can hide one that stays: where deleted ones don't come
    (`export.includes_deleted`), where a selection no longer holds, where one is moved out
    of the org units. So read again until nobody new comes, if nobody may be missed.

    Args:
        client: The server.
        listing: What is listed.
        zone: The zone of the server's stamps (`dhis2_api.system.Server.zone`).

    Raises:
        UnexpectedAnswer: The server ignored a parameter, so far as its rows show
            (`docs/client.md`), or answered no rows of this kind.
    """
    if listing.selection != EVERYTHING or (listing.fields and listing.updated_after):
        check_heard(client, listing, zone)
    for asked in listing_requests(listing, client.dialect):
        for row in each_row(client, asked, UID_KEYS[listing.kind]):
            check_bound(row, listing, zone, f"{client.name}: GET {asked.path}")
            yield row


def read_by_uid(
    client: Dhis2Client, kind: Listed, uids: Sequence[str], fields: str, *, program: str = ""
) -> Iterator[Row]:
    """Yield each object of *uids* that the server has, living or deleted, once.

    Who does not come is asked for again, until nobody new does: a page may end early
    (measured: 2.40 counts enrollments).

    Args:
        client: The server.
        kind: What they are.
        uids: Which ones; as many as there are.
        fields: What of each; its UID must be among them.
        program: Where enrollments and events are, which 2.43 must know (measured).

    Raises:
        UnexpectedAnswer: Others came than were asked for.
    """
    for start in range(0, len(uids), MOST_UIDS):
        asked = partial(by_uid, client.dialect, kind, fields=fields, program=program)
        yield from _read_batch(client, UID_KEYS[kind], uids[start : start + MOST_UIDS], asked)


def read_relationships(
    client: Dhis2Client,
    end: Literal["trackedEntity", "enrollment", "event"],
    uid: str,
    *,
    deleted_too: bool = False,
) -> Iterator[Row]:
    """Yield the living relationships of one object; the lists take no more than one.

    With deleted ones only for who knows the living: they come among them without a flag
    (measured).
    """
    params: dict[str, str | int] = {end: uid, "fields": RELATIONSHIP_FIELDS, "pageSize": 1000}
    if deleted_too:
        params["includeDeleted"] = "true"
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


def as_newest(row: Row, dialect: Dialect) -> Row:
    """Return a row with the names and separators of the newest version, at every level.

    Raises:
        UnexpectedAnswer: Its enrollments or events are no objects.
    """
    if "followup" in row:  # an event's on 2.40; 2.41 says both (recordings: export-events)
        row["followUp"] = row.pop("followup")
    options = row.get("attributeCategoryOptions")
    if isinstance(options, str):
        row["attributeCategoryOptions"] = options.replace(dialect.options_separator, ",")
    for name in ("enrollments", "events"):
        for child in _children(row, name):
            as_newest(child, dialect)
    return row


def _children(row: Row, name: str) -> list[Row]:
    children = row.get(name, [])
    if isinstance(children, list) and all(isinstance(child, dict) for child in children):
        return children
    raise UnexpectedAnswer(f"a row has `{name}` that are no list of objects")


def _read_batch(
    client: Dhis2Client, key: str, uids: Collection[str], ask: Callable[[Collection[str]], Asked]
) -> Iterator[Row]:
    waiting = set(uids)
    came = True
    while waiting and came:
        asked = ask([uid for uid in uids if uid in waiting])
        what = f"{client.name}: GET {asked.path}"
        body = client.get_bytes(asked.path, asked.params)
        rows = {row[key]: row for row in parse_rows(body, asked.envelope, key, what).rows}
        if not rows.keys() <= waiting:
            raise UnexpectedAnswer(f"{what}: the server ignored the UIDs; others came")
        waiting -= rows.keys()
        came = bool(rows)
        yield from (as_newest(row, client.dialect) for row in rows.values())
