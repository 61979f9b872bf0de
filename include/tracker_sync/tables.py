"""The tables: how nested people become flat columns that an analyst can read.

Five tables, one a kind. Names are DHIS2's own; values are text exactly as sent;
the server's stamps are timestamps without zone, as it gave them (its zone stands
in the package's manifest); a geometry is the text of its GeoJSON.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


_TEXT, _FLAG, _STAMP = pa.string(), pa.bool_(), pa.timestamp("ms")

_ATTRIBUTE = [("attribute", _TEXT), ("value", _TEXT)]
_DATA_VALUE = [("dataElement", _TEXT), ("value", _TEXT), ("providedElsewhere", _FLAG)]
_SHARED = [
    ("createdAt", _STAMP),
    ("updatedAt", _STAMP),
    ("createdAtClient", _TEXT),
    ("updatedAtClient", _TEXT),
    ("deleted", _FLAG),
    ("geometry", _TEXT),
]
_EVENT = [
    ("event", _TEXT),
    ("programStage", _TEXT),
    ("orgUnit", _TEXT),
    ("status", _TEXT),
    ("occurredAt", _TEXT),
    ("scheduledAt", _TEXT),
    ("completedAt", _TEXT),
    ("attributeOptionCombo", _TEXT),
    *_SHARED,
]
_ENROLLMENT = [
    ("enrollment", _TEXT),
    ("program", _TEXT),
    ("orgUnit", _TEXT),
    ("status", _TEXT),
    ("enrolledAt", _TEXT),
    ("occurredAt", _TEXT),
    ("completedAt", _TEXT),
    ("followUp", _FLAG),
    *_SHARED,
]
_TRACKED_ENTITY = [
    ("trackedEntity", _TEXT),
    ("trackedEntityType", _TEXT),
    ("orgUnit", _TEXT),
    ("inactive", _FLAG),
    ("potentialDuplicate", _FLAG),
    *_SHARED,
]

_USER = pa.struct([("username", _TEXT)])
_ATTRIBUTES = ("attributes", pa.list_(pa.struct(_ATTRIBUTE)))
_EVENT_ROW = pa.struct(
    [*_EVENT, ("assignedUser", _USER), ("dataValues", pa.list_(pa.struct(_DATA_VALUE)))]
)
_ENROLLMENT_ROW = pa.struct([*_ENROLLMENT, _ATTRIBUTES, ("events", pa.list_(_EVENT_ROW))])

# What a page of people is parsed as.
PERSON_ROW = pa.struct([*_TRACKED_ENTITY, _ATTRIBUTES, ("enrollments", pa.list_(_ENROLLMENT_ROW))])

# What is staged: table name -> columns.
TABLES: Mapping[str, pa.Schema] = {
    "tracked_entities": pa.schema(_TRACKED_ENTITY),
    "attributes": pa.schema([("trackedEntity", _TEXT), ("enrollment", _TEXT), *_ATTRIBUTE]),
    "enrollments": pa.schema([("trackedEntity", _TEXT), *_ENROLLMENT]),
    "events": pa.schema(
        [("trackedEntity", _TEXT), ("enrollment", _TEXT), *_EVENT, ("assignedUser", _TEXT)]
    ),
    "data_values": pa.schema([("trackedEntity", _TEXT), ("event", _TEXT), *_DATA_VALUE]),
}

Tables = Mapping[str, pa.Table]


def flatten(people: pa.StructArray, programs: Collection[str]) -> Tables:
    """Turn people as they were read into the five tables of `TABLES`.

    Args:
        people: Rows of `PERSON_ROW`.
        programs: Enrollments of other programs are left out: they are not this route's.
    """
    persons = _Rows(people, {})
    enrollments = persons.children("enrollments", key="trackedEntity").only("program", programs)
    events = enrollments.children("events", key="enrollment")
    person_attributes = persons.children("attributes", key="trackedEntity")
    program_attributes = enrollments.children("attributes", key="enrollment")
    return {
        "tracked_entities": persons.table("tracked_entities"),
        "attributes": pa.concat_tables(
            [person_attributes.table("attributes"), program_attributes.table("attributes")]
        ),
        "enrollments": enrollments.table("enrollments"),
        "events": events.table("events"),
        "data_values": events.children("dataValues", key="event").table("data_values"),
    }


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one kind, and the UIDs of what each stands under.

    Attributes:
        rows: The rows, nested as they came.
        above: Column name -> the UID of the object above, a row.
    """

    rows: pa.StructArray
    above: Mapping[str, pa.Array]

    def children(self, name: str, *, key: str) -> _Rows:
        """Return all rows nested under *name*; they remember our UID, which is in *key*."""
        nested = pc.struct_field(self.rows, name)
        parent = pc.list_parent_indices(nested)
        above = {**self.above, key: pc.struct_field(self.rows, key)}
        return _Rows(pc.list_flatten(nested), {k: uids.take(parent) for k, uids in above.items()})

    def only(self, name: str, wanted: Collection[str]) -> _Rows:
        """Return the rows whose *name* is one of *wanted*."""
        keep = pc.is_in(pc.struct_field(self.rows, name), value_set=pa.array([*wanted], _TEXT))
        return _Rows(
            self.rows.filter(keep), {k: uids.filter(keep) for k, uids in self.above.items()}
        )

    def table(self, name: str) -> pa.Table:
        """Return the rows as the table *name* of `TABLES`."""
        schema = TABLES[name]
        return pa.Table.from_arrays([self._column(field) for field in schema], schema=schema)

    def _column(self, field: pa.Field) -> pa.Array:
        if field.name in self.above:
            return self.above[field.name]
        if self.rows.type.get_field_index(field.name) < 0:
            return pa.nulls(len(self.rows), field.type)  # a person's own attribute: no enrollment
        column = pc.struct_field(self.rows, field.name)
        return pc.struct_field(column, "username") if field.name == "assignedUser" else column
