"""The listing: everything that lists name, though a page can hide what the next one skips.

Pages are cut by offset. When a row leaves the list while it is read (a purge, a transfer,
a row that stops matching), all behind it move up, and one of them is on no page
(reliability F1). So a list of several pages is read again, until nothing new appears.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from dhis2_api.export import Listing, listing_requests
from dhis2_api.paging import Asked, Page, each_page
from tracker_sync.arrow_json import parse_page
from tracker_sync.listed_rows import LISTED, listed_rows, row_type


MOST_PASSES = 3

_RESTLESS = (
    "%s of %s: %s rows were new in the last of %s passes, so there may be more that no page "
    "showed: let the route run when fewer people write, or raise its `reading.page_size`"
)

_log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Changes:
    """What lists named.

    Attributes:
        rows: Each object once a list, the version stamped last, with the columns of `LISTED`.
        passes: How often the list was read that was read most often.
        found_later: How many rows only a later pass found.
    """

    rows: pa.Table
    passes: int
    found_later: int


@dataclass(frozen=True, slots=True)
class _Pass:
    rows: pa.Table
    snapshot: bool  # all came in one page, which hides nothing


def list_changes(source: Source, listings: Iterable[Listing]) -> Changes:
    """Return everything that the lists name.

    Raises:
        UnexpectedAnswer: The server ignored the lower bound, or rows lack what was asked for.
    """
    found = [_in_passes(source, listing) for listing in listings]
    return Changes(
        pa.concat_tables([LISTED.empty_table(), *(part.rows for part in found)]),
        max((part.passes for part in found), default=0),
        sum(part.found_later for part in found),
    )


def _in_passes(source: Source, listing: Listing) -> Changes:
    latest = _one_pass(source, listing)
    rows, first, new, passes = latest.rows, latest.rows["uid"], latest.rows, 1
    while new.num_rows and not latest.snapshot and passes < MOST_PASSES:
        latest = _one_pass(source, listing)
        new = _beyond(latest.rows, rows["uid"])
        rows = pa.concat_tables([rows, latest.rows])
        passes += 1
    rows = _newest(rows)
    later = _beyond(rows, first).num_rows
    _tell(listing, passes, later, 0 if latest.snapshot else new.num_rows)
    return Changes(rows, passes, later)


def _tell(listing: Listing, passes: int, later: int, at_last: int) -> None:
    scope = listing.program or listing.tracked_entity_type
    if passes > 1:
        _log.info("%s of %s: %s passes, %s found late", listing.kind, scope, passes, later)
    if at_last:
        _log.warning(_RESTLESS, listing.kind, scope, at_last, passes)


def _beyond(rows: pa.Table, known: pa.ChunkedArray) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["uid"], value_set=known)))


def _newest(rows: pa.Table) -> pa.Table:
    """Keep one row of each object: the one stamped last, and of equal ones the one read last."""
    ordered = rows.sort_by("updated_at")
    places = ordered.select(["uid"]).append_column("place", pa.array(range(len(ordered)), "int64"))
    last = places.group_by("uid", use_threads=False).aggregate([("place", "max")])
    return ordered.take(last["place_max"])


def _one_pass(source: Source, listing: Listing) -> _Pass:
    requests = listing_requests(listing, source.dialect)
    parts = [_read(source, listing, asked) for asked in requests]
    rows = pa.concat_tables([LISTED.empty_table(), *(part.rows for part in parts)])
    return _Pass(rows, [part.snapshot for part in parts] == [True])


def _read(source: Source, listing: Listing, asked: Asked) -> _Pass:
    what = f"{source.client.name}: GET {asked.path}"
    row = row_type(str(asked.params["fields"]))
    pages: list[Page[pa.StructArray]] = []

    def parse(body: bytes) -> Page[pa.StructArray]:
        pages.append(parse_page(body, asked.envelope, row, what=what))
        return pages[-1]

    tables = [
        listed_rows(rows, listing, source.zone, what)
        for rows in each_page(source.client, asked, parse)
    ]
    return _Pass(pa.concat_tables(tables), _is_snapshot(pages))


def _is_snapshot(pages: list[Page[pa.StructArray]]) -> bool:
    """Whether the first page held all there was when it was cut, and said so."""
    first, *others = pages
    alone = not first.goes_on and (first.pages or 0) <= 1
    return alone and not any(len(page.rows) for page in others)
