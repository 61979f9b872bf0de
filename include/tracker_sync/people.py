"""Reading people: everybody asked for is there whole, or is named as missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import PERSON_FIELDS, by_uid
from dhis2_api.paging import each_page
from tracker_sync.arrow_json import parse_page
from tracker_sync.tables import PERSON_ROW


_PATH = "/api/tracker/trackedEntities"


@dataclass(frozen=True, slots=True)
class People:
    """One batch of people as a server gave them.

    Attributes:
        rows: Those who came, as `tables.PERSON_ROW`, each once.
        absent: Those who did not, though asked for twice.
    """

    rows: pa.StructArray
    absent: frozenset[str]


def read_people(client: Dhis2Client, uids: Sequence[str], at_once: int) -> Iterator[People]:
    """Read tracked entities by UID, *at_once* in a request, with all below them.

    Raises:
        UnexpectedAnswer: Somebody came who was not asked for.
    """
    for start in range(0, len(uids), at_once):
        yield _read_batch(client, uids[start : start + at_once])


def _read_batch(client: Dhis2Client, asked: Sequence[str]) -> People:
    rows = _read(client, asked)
    absent = _absent(asked, rows)
    if absent and len(rows):
        # A page may end early for reasons of the server's (measured: 2.40 counts enrollments).
        rows = pa.concat_arrays([rows, _read(client, sorted(absent))])
        absent = _absent(asked, rows)
    return People(rows, absent)


def _read(client: Dhis2Client, asked: Sequence[str]) -> pa.StructArray:
    what = f"{client.name}: GET {_PATH}"
    parse = partial(parse_page, rows="trackedEntities", row=PERSON_ROW, what=what)
    params = by_uid(asked, PERSON_FIELDS, page_size=3 * len(asked))
    pages = [*each_page(client, _PATH, params, parse)]
    rows = _once_each(pa.concat_arrays(pages))
    came = pc.struct_field(rows, "trackedEntity").to_pylist()
    if not set(came) <= set(asked):
        raise UnexpectedAnswer(f"{what}: the server ignored `trackedEntities`; others came")
    return rows


def _once_each(rows: pa.StructArray) -> pa.StructArray:
    first: dict[str, int] = {}
    for index, uid in enumerate(pc.struct_field(rows, "trackedEntity").to_pylist()):
        first.setdefault(uid, index)
    return rows.take(pa.array(first.values(), pa.int64())) if len(first) < len(rows) else rows


def _absent(asked: Sequence[str], rows: pa.StructArray) -> frozenset[str]:
    return frozenset(asked) - set(pc.struct_field(rows, "trackedEntity").to_pylist())
