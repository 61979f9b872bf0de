"""The stamps: what a server holds of trees, and when it last wrote each object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref, refs_of
from tracker_sync.nested import Nested
from tracker_sync.objects import Tree
from tracker_sync.people import Wanted, read_wanted


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
    found: Stamps = {}
    for program, uids in by_program(trees).items():
        for batch in read_wanted(client, _wanted(program), uids, MOST_UIDS):
            found.update(_event_stamps(batch.rows) if program else _person_stamps(batch.rows))
    return found


def _wanted(program: str) -> Wanted:
    if program:
        return Wanted("events", _EVENT_FIELDS, _EVENT, program)
    return Wanted("trackedEntities", _PERSON_FIELDS, _PERSON)


def _person_stamps(rows: pa.StructArray) -> Iterator[tuple[Ref, datetime]]:
    people = Nested(rows, {})
    enrollments = people.children("enrollments")
    return chain(
        _stamps("TRACKED_ENTITY", "trackedEntity", rows),
        _stamps("ENROLLMENT", "enrollment", enrollments.rows),
        _event_stamps(enrollments.children("events").rows),
    )


def _event_stamps(rows: pa.StructArray) -> Iterator[tuple[Ref, datetime]]:
    return _stamps("EVENT", "event", rows)


def _stamps(kind: str, key: str, rows: pa.StructArray) -> Iterator[tuple[Ref, datetime]]:
    refs = refs_of(kind, pc.struct_field(rows, key).to_pylist())
    stamps = pc.struct_field(rows, "updatedAt").to_numpy(zero_copy_only=False)
    return zip(refs, stamps.astype("datetime64[us]").tolist(), strict=True)
