"""Reading by UID: everybody asked for is there whole, or is named as missing."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import by_uid
from dhis2_api.fields import EVENT_FIELDS, PERSON_FIELDS, Listed
from dhis2_api.paging import Asked
from tracker_sync.reading.fetching import fetched
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import EVENT_ROW, PERSON_ROW


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of each object.

    Attributes:
        kind: What they are.
        fields: What of each; its UID must be among them.
        row: The same as columns.
        program: Where events are, which 2.43 must know (measured).
        living: Whether tombstones stay away; they must from relationships, whose dead
            ones come among the living without a flag (measured).
    """

    kind: Listed
    fields: str
    row: pa.StructType
    program: str = ""
    living: bool = False

    def of(self, client: Dhis2Client, uids: Sequence[str]) -> Asked:
        """Return the request that asks for *uids*."""
        return by_uid(
            client.dialect, self.kind, uids, self.fields, self.program, living=self.living
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of people, or of events, as a server gave them.

    Attributes:
        rows: Those who came, each once.
        absent: Those who did not, though asked for again.
    """

    rows: pa.StructArray
    absent: frozenset[str]


Batches = Generator[Batch, None, None]

PEOPLE = Wanted("trackedEntities", PERSON_FIELDS, PERSON_ROW)


def events_wanted(program: str) -> Wanted:
    """Return what is read of the events of *program*, one without registration."""
    return Wanted("events", EVENT_FIELDS, EVENT_ROW, program)


def read_people(
    client: Dhis2Client, uids: Sequence[str], at_once: int, in_parallel: int = 1
) -> Batches:
    """Read tracked entities by UID with all below them.

    Args:
        client: The server.
        uids: Which ones; as many as there are.
        at_once: How many are asked for in a request.
        in_parallel: How many requests are under way at once.

    Returns:
        Batches with rows of `tables.PERSON_ROW`, tombstones too; close it after use.

    Raises:
        UnexpectedAnswer: Somebody came who was not asked for.
    """
    return read_wanted(client, PEOPLE, uids, at_once, in_parallel)


def read_events(
    client: Dhis2Client, uids: Sequence[str], program: str, at_once: int, in_parallel: int = 1
) -> Batches:
    """Read events of *program*, one without registration, likewise: `tables.EVENT_ROW`."""
    return read_wanted(client, events_wanted(program), uids, at_once, in_parallel)


def read_wanted(
    client: Dhis2Client, wanted: Wanted, uids: Sequence[str], at_once: int, in_parallel: int = 1
) -> Batches:
    """Read what is *wanted* of objects by UID; see `read_people`."""
    batches = [uids[start : start + at_once] for start in range(0, len(uids), at_once)]
    asked = (wanted.of(client, batch) for batch in batches)
    with closing(fetched(client, asked, in_parallel)) as bodies:
        for batch, body in zip(batches, bodies, strict=True):
            yield _completed(client, wanted, batch, body)


def _completed(client: Dhis2Client, wanted: Wanted, uids: Sequence[str], body: bytes) -> Batch:
    parts = [_parsed(client, wanted, uids, body)]
    absent = _absent(uids, parts)
    # A page may end early for reasons of the server's (measured: 2.40 counts enrollments).
    while absent and len(parts[-1]):
        again = sorted(absent)
        asked = wanted.of(client, again)
        parts.append(_parsed(client, wanted, again, client.get_bytes(asked.path, asked.params)))
        absent = _absent(uids, parts)
    return Batch(parts[0] if len(parts) == 1 else pa.concat_arrays(parts), absent)


def _parsed(
    client: Dhis2Client, wanted: Wanted, uids: Sequence[str], body: bytes
) -> pa.StructArray:
    asked = wanted.of(client, uids)
    what = f"{client.name}: GET {asked.path}"
    rows = _once_each(parse_page(body, asked.envelope, wanted.row, what=what).rows)
    if not set(_uids(rows)) <= set(uids):
        raise UnexpectedAnswer(f"{what}: the server ignored the UIDs; others came")
    return rows


def _once_each(rows: pa.StructArray) -> pa.StructArray:
    first: dict[str, int] = {}
    for index, uid in enumerate(_uids(rows)):
        first.setdefault(uid, index)
    return rows.take(pa.array(first.values(), pa.int64())) if len(first) < len(rows) else rows


def _absent(asked: Sequence[str], parts: Sequence[pa.StructArray]) -> frozenset[str]:
    return frozenset(asked).difference(*map(_uids, parts))


def _uids(rows: pa.StructArray) -> list[str]:
    """Return the UIDs of rows, which stand first in every row."""
    uids: list[str] = pc.struct_field(rows, [0]).to_pylist()
    return uids
