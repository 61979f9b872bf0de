"""The relationships: which living ones the people, or events, of a slice have an end in.

They are the dearest part of a read, three times all the rest (measured: What costs
what), so they are read apart, and only for whom a relationship type may join.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.fields import RELATED_EVENT_FIELDS, RELATED_FIELDS, RELATIONSHIP_FIELDS
from tracker_sync.reading.people import Batch, Wanted
from tracker_sync.staging.nested import Nested
from tracker_sync.staging.tables import TABLES, Tables, living


_TEXT, _STAMP = pa.string(), pa.timestamp("ms")
_KINDS = ("trackedEntity", "enrollment", "event")
_END = pa.struct([(kind, pa.struct([(kind, _TEXT)])) for kind in _KINDS])
_RELATIONSHIP = pa.struct(
    [
        ("relationship", _TEXT),
        ("relationshipType", _TEXT),
        ("createdAt", _STAMP),
        ("updatedAt", _STAMP),
        ("from", _END),
        ("to", _END),
    ]
)
_RELATIONSHIPS = ("relationships", pa.list_(_RELATIONSHIP))
_EVENT = pa.struct([("event", _TEXT), _RELATIONSHIPS])
_ENROLLMENT = pa.struct([("enrollment", _TEXT), _RELATIONSHIPS, ("events", pa.list_(_EVENT))])
_PERSON = pa.struct(
    [("trackedEntity", _TEXT), _RELATIONSHIPS, ("enrollments", pa.list_(_ENROLLMENT))]
)

# What names the program, stage or type by which a relationship type may join an object.
_JOINED_BY = {
    "tracked_entities": ("trackedEntityType",),
    "enrollments": ("program",),
    "events": ("program", "programStage"),
}


def relationships_wanted(program: str) -> Wanted:
    """Return how to ask for the relationships of people, or of the events of *program*."""
    if program:
        return Wanted("events", RELATED_EVENT_FIELDS, _EVENT, program, living=True)
    return Wanted("trackedEntities", RELATED_FIELDS, _PERSON, living=True)


#: How to ask for what people have an end in themselves, and nothing of what is below them.
OF_THEIR_OWN = Wanted(
    "trackedEntities",
    f"trackedEntity,relationships[{RELATIONSHIP_FIELDS}]",
    pa.struct([("trackedEntity", _TEXT), _RELATIONSHIPS]),
    living=True,
)


def may_be_related(tables: Tables, related: Collection[str]) -> list[str]:
    """Return who of *tables* may have relationships: living people, or living events.

    Args:
        tables: What came.
        related: `Model.related`.
    """
    key = "trackedEntity" if tables["tracked_entities"].num_rows else "event"
    values = pa.array([*related], _TEXT)
    joined = {
        uid
        for name, columns in _JOINED_BY.items()
        for column in columns
        for uid in _where(tables[name], column, values, key)
    }
    return [uid for uid in living(tables) if uid in joined]


def _where(table: pa.Table, column: str, values: pa.Array, key: str) -> list[str]:
    if key not in table.column_names:
        return []
    uids: list[str] = table.filter(pc.is_in(table[column], value_set=values))[key].to_pylist()
    return uids


def flatten_relationships(rows: pa.StructArray) -> pa.Table:
    """Return the relationships of people or events, as they were read, as their table."""
    given = Nested(rows, {})
    if rows.type.get_field_index("enrollments") < 0:
        return _table(given.children("relationships"))
    enrollments = given.children("enrollments", "trackedEntity")
    levels = [
        given.children("relationships", "trackedEntity"),
        enrollments.children("relationships"),
        enrollments.children("events").children("relationships"),
    ]
    return pa.concat_tables([_table(level) for level in levels])


def _table(relationships: Nested) -> pa.Table:
    ends = {
        f"{end}_{kind}": pc.struct_field(relationships.rows, [end, kind, kind])
        for end in ("from", "to")
        for kind in _KINDS
    }
    above = {**relationships.above, **ends}
    return Nested(relationships.rows, above).table(TABLES["relationships"])


def once_each(batches: Iterator[Batch]) -> Iterator[tuple[pa.Table, frozenset[str]]]:
    """Yield the relationships of each batch that none before had, and who did not come.

    Both ends of one may be in a slice, and each shows it.
    """
    seen: set[str] = set()
    for batch in batches:
        table = flatten_relationships(batch.rows)
        first: dict[str, int] = {}
        for index, uid in enumerate(table["relationship"].to_pylist()):
            first.setdefault(uid, index)
        new = [index for uid, index in first.items() if uid not in seen]
        seen |= first.keys()
        yield table.take(pa.array(new, pa.int64())), batch.absent
