"""The listing: who is to be read, found out once, at the roots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import Listing, listing_requests
from dhis2_api.fields import Listed
from dhis2_api.paging import each_page
from tracker_sync.arrow_json import parse_page
from tracker_sync.people import read_batches


KINDS: tuple[Listed, ...] = ("trackedEntities", "enrollments", "events")

_STAMP = pa.timestamp("ms")
_ROW = pa.struct(
    [
        ("trackedEntity", pa.string()),
        ("orgUnit", pa.string()),
        ("updatedAt", _STAMP),
        ("deleted", pa.bool_()),
    ]
)

# One row for each tracked entity, enrollment or event that a list named. `org_unit` is the
# person's registration org unit, which only the list of tracked entities gives.
LISTED = pa.schema(
    [
        ("tracked_entity", pa.string()),
        ("org_unit", pa.string()),
        ("program", pa.string()),
        ("kind", pa.string()),
        ("updated_at", pa.timestamp("ms", tz="UTC")),
        ("deleted", pa.bool_()),
    ]
)


@dataclass(frozen=True, slots=True)
class Source:
    """The server that is read.

    Attributes:
        client: Speaks to it.
        dialect: How it is spoken to.
        zone: The zone of its stamps.
    """

    client: Dhis2Client
    dialect: Dialect
    zone: ZoneInfo


def list_changes(source: Source, listings: Iterable[Listing]) -> pa.Table:
    """Return one row for everything the lists name, with the columns of `LISTED`.

    Raises:
        UnexpectedAnswer: The server ignored the lower bound, or named no person.
    """
    pages = [page for listing in listings for page in _pages(source, listing)]
    return pa.concat_tables([LISTED.empty_table(), *pages])


def _pages(source: Source, listing: Listing) -> Iterator[pa.Table]:
    for asked in listing_requests(listing, source.dialect):
        what = f"{source.client.name}: GET {asked.path}"
        parse = partial(parse_page, envelope=asked.envelope, row=_ROW, what=what)
        for rows in each_page(source.client, asked, parse):
            yield _checked(_table(rows, listing, source.zone), listing, what)


def _table(rows: pa.StructArray, listing: Listing, zone: ZoneInfo) -> pa.Table:
    columns = [
        pc.struct_field(rows, "trackedEntity"),
        pc.struct_field(rows, "orgUnit"),
        pa.repeat(listing.program, len(rows)),
        pa.repeat(listing.kind, len(rows)),
        in_utc(pc.struct_field(rows, "updatedAt"), zone),
        pc.struct_field(rows, "deleted"),
    ]
    return pa.Table.from_arrays(columns, schema=LISTED)


def _checked(table: pa.Table, listing: Listing, what: str) -> pa.Table:
    if any(table[name].null_count for name in ("tracked_entity", "updated_at", "deleted")):
        raise UnexpectedAnswer(f"{what}: rows without `trackedEntity`, `updatedAt` or `deleted`")
    oldest = pc.min(table["updated_at"]).as_py()
    # A server that doesn't know a parameter ignores it (measured): then all rows come.
    if oldest and listing.updated_after and oldest < _in_millis(listing.updated_after):
        raise UnexpectedAnswer(f"{what}: the server ignored `updatedAfter`; rows are older")
    return table


def _in_millis(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def in_utc(stamps: pa.TimestampArray, zone: ZoneInfo) -> pa.TimestampArray:
    """Turn a server's zone-less stamps into instants.

    In the hour that a clock change repeats the later instant is taken, so that a
    record is read once too often rather than never.
    """
    known = pc.assume_timezone(stamps, zone.key, ambiguous="latest", nonexistent="latest")
    return known.cast(pa.timestamp("ms", tz="UTC"))


def registration_org_units(source: Source, uids: list[str], at_once: int) -> Mapping[str, str]:
    """Return the registration org unit of each person of *uids* that the server knows."""
    found: dict[str, str] = {}
    for people in read_batches(source.client, uids, at_once, "trackedEntity,orgUnit", _ROW):
        found |= {row["trackedEntity"]: row["orgUnit"] for row in people.rows.to_pylist()}
    return found
