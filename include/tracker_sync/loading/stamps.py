"""The stamps: what a server holds of trees, and when it last wrote each object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref
from tracker_sync.planning.objects import Tree, refs_of_rows, stamps_of_rows
from tracker_sync.reading.people import Wanted, read_wanted
from tracker_sync.staging.nested import Nested


_EVENT = pa.struct([("event", pa.string()), ("updatedAt", pa.timestamp("ms"))])
_ENROLLMENT = pa.struct(
    [("enrollment", pa.string()), ("updatedAt", pa.timestamp("ms")), ("events", pa.list_(_EVENT))]
)
_PERSON = pa.struct(
    [
        ("trackedEntity", pa.string()),
        ("updatedAt", pa.timestamp("ms")),
        ("enrollments", pa.list_(_ENROLLMENT)),
    ]
)
_EVENT_FIELDS = "event,updatedAt"
_PERSON_FIELDS = (
    f"trackedEntity,updatedAt,enrollments[enrollment,updatedAt,events[{_EVENT_FIELDS}]]"
)

Stamps = dict[Ref, datetime]

#: What a server last wrote when; the columns are called as those of `bundles.OBJECT`.
STAMPS = pa.schema(
    [("kind", pa.string()), ("uid", pa.string()), ("updated_at", pa.timestamp("ms"))]
)


def by_program(trees: Iterable[Tree]) -> Mapping[str, list[str]]:
    """Return the UIDs of people under the empty text, those of lone events by their program."""
    uids: defaultdict[str, list[str]] = defaultdict(list)
    for tree in trees:
        uids[tree.program].append(tree.uid)
    return uids


def read_stamps(client: Dhis2Client, trees: Iterable[Tree]) -> Stamps:
    """Return the `updatedAt`, without zone, of every object of *trees* that the server has.

    Deleted ones are there too, with the stamp of their deletion.
    """
    rows = read_stamp_rows(client, trees)
    return dict(zip(refs_of_rows(rows), stamps_of_rows(rows), strict=True))


def read_stamp_rows(client: Dhis2Client, trees: Iterable[Tree]) -> pa.Table:
    """Return the same as rows of `STAMPS`, a row an object."""
    found = [STAMPS.empty_table()]
    for program, uids in by_program(trees).items():
        for batch in read_wanted(client, _wanted(program), uids, MOST_UIDS):
            found += _event_rows(batch.rows) if program else _person_rows(batch.rows)
    return pa.concat_tables(found).combine_chunks()


def _wanted(program: str) -> Wanted:
    if program:
        return Wanted("events", _EVENT_FIELDS, _EVENT, program)
    return Wanted("trackedEntities", _PERSON_FIELDS, _PERSON)


def _person_rows(rows: pa.StructArray) -> Iterator[pa.Table]:
    enrollments = Nested(rows, {}).children("enrollments")
    yield _rows("TRACKED_ENTITY", "trackedEntity", rows)
    yield _rows("ENROLLMENT", "enrollment", enrollments.rows)
    yield from _event_rows(enrollments.children("events").rows)


def _event_rows(rows: pa.StructArray) -> Iterator[pa.Table]:
    yield _rows("EVENT", "event", rows)


def _rows(kind: str, key: str, rows: pa.StructArray) -> pa.Table:
    columns = (pc.struct_field(rows, name) for name in (key, "updatedAt"))
    return pa.table([pa.repeat(kind, len(rows)), *columns], schema=STAMPS)
