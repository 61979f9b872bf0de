"""Reading people: everybody asked for is there whole, or is named as missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import by_uid
from dhis2_api.fields import PERSON_FIELDS
from tracker_sync.arrow_json import parse_page
from tracker_sync.tables import PERSON_ROW


@dataclass(frozen=True, slots=True)
class People:
    """One batch of people as a server gave them.

    Attributes:
        rows: Those who came, as `tables.PERSON_ROW`, each once.
        absent: Those who did not, though asked for again.
    """

    rows: pa.StructArray
    absent: frozenset[str]


def read_people(client: Dhis2Client, uids: Sequence[str], at_once: int) -> Iterator[People]:
    """Read tracked entities by UID, *at_once* in a request, with all below them.

    Raises:
        UnexpectedAnswer: Somebody came who was not asked for.
    """
    return read_batches(client, uids, at_once, PERSON_FIELDS, PERSON_ROW)


def read_batches(
    client: Dhis2Client, uids: Sequence[str], at_once: int, fields: str, row: pa.StructType
) -> Iterator[People]:
    """The same with *fields* of each person, parsed as *row*."""
    for start in range(0, len(uids), at_once):
        yield _read_batch(client, uids[start : start + at_once], fields, row)


def _read_batch(
    client: Dhis2Client, asked: Sequence[str], fields: str, row: pa.StructType
) -> People:
    parts = [_read(client, asked, fields, row)]
    absent = _absent(asked, parts)
    # A page may end early for reasons of the server's (measured: 2.40 counts enrollments).
    while absent and len(parts[-1]):
        parts.append(_read(client, sorted(absent), fields, row))
        absent = _absent(asked, parts)
    return People(pa.concat_arrays(parts), absent)


def _read(
    client: Dhis2Client, uids: Sequence[str], fields: str, row: pa.StructType
) -> pa.StructArray:
    asked = by_uid(client.dialect, "trackedEntities", uids, fields)
    what = f"{client.name}: GET {asked.path}"
    body = client.get_bytes(asked.path, asked.params)
    rows = _once_each(parse_page(body, asked.envelope, row, what=what).rows)
    if not set(_uids(rows)) <= set(uids):
        raise UnexpectedAnswer(f"{what}: the server ignored `trackedEntities`; others came")
    return rows


def _once_each(rows: pa.StructArray) -> pa.StructArray:
    first: dict[str, int] = {}
    for index, uid in enumerate(_uids(rows)):
        first.setdefault(uid, index)
    return rows.take(pa.array(first.values(), pa.int64())) if len(first) < len(rows) else rows


def _absent(asked: Sequence[str], parts: Sequence[pa.StructArray]) -> frozenset[str]:
    return frozenset(asked).difference(*map(_uids, parts))


def _uids(rows: pa.StructArray) -> list[str]:
    uids: list[str] = pc.struct_field(rows, "trackedEntity").to_pylist()
    return uids
