"""The listing: everything that lists name, though a page can hide what the next one skips.

Pages are cut by offset. When a row leaves the list while it is read (a purge, a transfer,
a row that stops matching), all behind it move up, and one of them is on no page
(reliability F1). So a list of several pages is read again, until nothing new appears.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from dhis2_api.export import Listing, listing_requests
from dhis2_api.paging import Asked, Page, each_page
from tracker_sync.reading.listed_rows import listed_rows, row_type
from tracker_sync.staging.arrow_json import parse_page


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
class Passes:
    """How lists were read.

    Attributes:
        most: How often the list was read that was read most often.
        found_later: How many rows only a later pass found.
    """

    most: int
    found_later: int


Keep = Callable[[pa.Table], object]


@dataclass(frozen=True, slots=True)
class _Pass:
    uids: pa.ChunkedArray
    snapshot: bool  # all came in one page, which hides nothing


def read_lists(source: Source, listings: Iterable[Listing], keep: Keep) -> Passes:
    """Give *keep* everything that the lists name, with the columns of `LISTED`.

    It comes page by page, of every pass, so that an object may come several times: `newest`
    says which version counts.

    Raises:
        UnexpectedAnswer: The server ignored the lower bound, or rows lack what was asked for.
    """
    found = [_in_passes(source, listing, keep) for listing in listings]
    most = max((part.most for part in found), default=0)
    return Passes(most, sum(part.found_later for part in found))


def newest(rows: pa.Table) -> pa.Table:
    """Keep one row of each object a list: stamped last, and of equal ones the one read last."""
    ordered = rows.sort_by("updated_at")
    places = ordered.select(_OF_A_LIST).append_column(
        "place", pa.array(range(len(ordered)), "int64")
    )
    last = places.group_by(_OF_A_LIST, use_threads=False).aggregate([("place", "max")])
    return ordered.take(last["place_max"])


_OF_A_LIST = ["kind", "scope", "uid"]


def _in_passes(source: Source, listing: Listing, keep: Keep) -> Passes:
    latest = _one_pass(source, listing, keep)
    first, later, new, passes = latest.uids, latest.uids[:0], len(latest.uids), 1
    while new and not latest.snapshot and passes < MOST_PASSES:
        latest = _one_pass(source, listing, keep)
        unseen = _beyond(_beyond(latest.uids, first), later)
        later = pa.chunked_array([*later.chunks, unseen.unique()], pa.string())
        new = len(unseen)
        passes += 1
    _tell(listing, passes, len(later), 0 if latest.snapshot else new)
    return Passes(passes, len(later))


def _tell(listing: Listing, passes: int, later: int, at_last: int) -> None:
    scope = listing.program or listing.tracked_entity_type
    if passes > 1:
        _log.info("%s of %s: %s passes, %s found late", listing.kind, scope, passes, later)
    if at_last:
        _log.warning(_RESTLESS, listing.kind, scope, at_last, passes)


def _beyond(uids: pa.ChunkedArray, known: pa.ChunkedArray) -> pa.ChunkedArray:
    return uids.filter(pc.invert(pc.is_in(uids, value_set=known)))


def _one_pass(source: Source, listing: Listing, keep: Keep) -> _Pass:
    requests = listing_requests(listing, source.dialect)
    parts = [_read(source, listing, asked, keep) for asked in requests]
    uids = [chunk for part in parts for chunk in part.uids.chunks]
    return _Pass(pa.chunked_array(uids, pa.string()), [part.snapshot for part in parts] == [True])


def _read(source: Source, listing: Listing, asked: Asked, keep: Keep) -> _Pass:
    what = f"{source.client.name}: GET {asked.path}"
    row = row_type(str(asked.params["fields"]))
    pages: list[Page[range]] = []

    def parse(body: bytes) -> Page[pa.StructArray]:
        page = parse_page(body, asked.envelope, row, what=what)
        pages.append(replace(page, rows=range(len(page.rows))))  # not what they hold
        return page

    uids: list[pa.Array] = []
    for rows in each_page(source.client, asked, parse):
        page = listed_rows(rows, listing, source.zone, what)
        uids += page["uid"].chunks
        keep(page)
    return _Pass(pa.chunked_array(uids, pa.string()), _is_snapshot(pages))


def _is_snapshot(pages: list[Page[range]]) -> bool:
    """Whether the first page held all there was when it was cut, and said so."""
    first, *others = pages
    alone = not first.goes_on and (first.pages or 0) <= 1
    return alone and not any(len(page.rows) for page in others)
