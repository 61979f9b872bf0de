"""What lists named, as one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from dhis2_api.export import Listing
from tracker_sync.reading.listed_rows import LISTED
from tracker_sync.reading.listing import Source, newest, read_lists


@dataclass(frozen=True, slots=True)
class Changes:
    """What lists named, each object once a list, and how they were read."""

    rows: pa.Table
    passes: int
    found_later: int


def list_changes(source: Source, listings: Iterable[Listing]) -> Changes:
    """Return everything that the lists name."""
    pages = [LISTED.empty_table()]
    passes = read_lists(source, listings, pages.append)
    return Changes(newest(pa.concat_tables(pages)), passes.most, passes.found_later)
