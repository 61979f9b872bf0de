"""The tables: how nested people become flat columns that an analyst can read.

One table a kind. Names are DHIS2's own; values are text exactly as sent; the
server's stamps are timestamps without zone, as it gave them (its zone stands in
the package's manifest); a geometry is the text of its GeoJSON.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.staging.nested import Nested


_TEXT, _FLAG, _STAMP = pa.string(), pa.bool_(), pa.timestamp("ms")

_ATTRIBUTE = [("attribute", _TEXT), ("value", _TEXT)]
_DATA_VALUE = [("dataElement", _TEXT), ("value", _TEXT), ("providedElsewhere", _FLAG)]
_SHARED = [
    ("createdAt", _STAMP),
    ("updatedAt", _STAMP),
    ("createdAtClient", _TEXT),
    ("updatedAtClient", _TEXT),
    ("storedBy", _TEXT),
    ("deleted", _FLAG),
    ("geometry", _TEXT),
]
_EVENT = [
    ("event", _TEXT),
    ("program", _TEXT),
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
    ("attributeOptionCombo", _TEXT),
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

_NOTE = [("note", _TEXT), ("value", _TEXT), ("storedAt", _STAMP)]
_OWNER = [("program", _TEXT), ("orgUnit", _TEXT)]

_ATTRIBUTES = ("attributes", pa.list_(pa.struct(_ATTRIBUTE)))
_USER = pa.struct([("username", _TEXT)])
_NOTES = ("notes", pa.list_(pa.struct([*_NOTE, ("createdBy", _USER)])))

# What a page of events of a program without registration is parsed as.
EVENT_ROW = pa.struct(
    [
        *_EVENT,
        ("assignedUser", _USER),
        ("dataValues", pa.list_(pa.struct(_DATA_VALUE))),
        _NOTES,
    ]
)
_ENROLLMENT_ROW = pa.struct([*_ENROLLMENT, _ATTRIBUTES, _NOTES, ("events", pa.list_(EVENT_ROW))])

# What a page of people is parsed as.
PERSON_ROW = pa.struct(
    [
        *_TRACKED_ENTITY,
        _ATTRIBUTES,
        ("programOwners", pa.list_(pa.struct(_OWNER))),
        ("enrollments", pa.list_(_ENROLLMENT_ROW)),
    ]
)
_PERSON = [("trackedEntity", _TEXT)]
_PLACE = [*_PERSON, ("enrollment", _TEXT)]
_ENDS = [
    (f"{end}_{kind}", _TEXT)
    for end in ("from", "to")
    for kind in ("trackedEntity", "enrollment", "event")
]

# What is staged: table name -> columns. `docs/staging.md` says what each means.
TABLES: Mapping[str, pa.Schema] = {
    "tracked_entities": pa.schema(_TRACKED_ENTITY),
    "attributes": pa.schema([*_PLACE, *_ATTRIBUTE]),
    "enrollments": pa.schema([*_PERSON, *_ENROLLMENT]),
    "events": pa.schema([*_PLACE, *_EVENT, ("assignedUser", _TEXT)]),
    "data_values": pa.schema([*_PERSON, ("event", _TEXT), *_DATA_VALUE]),
    "notes": pa.schema([*_PLACE, ("event", _TEXT), *_NOTE, ("createdBy", _TEXT)]),
    "owners": pa.schema([*_PERSON, *_OWNER]),
    "relationships": pa.schema(
        [
            *_PERSON,
            ("relationship", _TEXT),
            ("relationshipType", _TEXT),
            ("createdAt", _STAMP),
            ("updatedAt", _STAMP),
            *_ENDS,
        ]
    ),
}

Tables = Mapping[str, pa.Table]


def flatten(people: pa.StructArray, programs: Collection[str]) -> Tables:
    """Turn people as they were read into the tables of `TABLES`.

    Their relationships are read apart, so that table is empty (see `relationships`).

    Args:
        people: Rows of `PERSON_ROW`.
        programs: Enrollments and owners of other programs are left out: they are not
            this route's.
    """
    persons = Nested(people, {})
    owners = persons.children("programOwners", "trackedEntity").only("program", programs)
    enrollments = persons.children("enrollments", "trackedEntity").only("program", programs)
    events = enrollments.children("events", "enrollment", "program")
    return _tables(
        tracked_entities=[persons],
        attributes=[
            persons.children("attributes", "trackedEntity"),
            enrollments.children("attributes", "enrollment"),
        ],
        enrollments=[enrollments],
        owners=[owners],
        **_of_events(events, enrollments.children("notes", "enrollment")),
    )


def flatten_events(events: pa.StructArray) -> Tables:
    """Turn events of a program without registration into the tables of `TABLES`.

    Args:
        events: Rows of `EVENT_ROW`. They stand under nobody: `trackedEntity` and
            `enrollment` are null.
    """
    return _tables(**_of_events(Nested(events, {})))


def living(tables: Tables) -> list[str]:
    """Return who lives: people, or the events of a program without registration."""
    people = tables["tracked_entities"]
    table, key = (people, "trackedEntity") if people.num_rows else (tables["events"], "event")
    uids: list[str] = table.filter(pc.invert(table["deleted"]))[key].to_pylist()
    return uids


def _of_events(events: Nested, *notes: Nested) -> dict[str, list[Nested]]:
    return {
        "events": [events],
        "data_values": [events.children("dataValues", "event")],
        "notes": [*notes, events.children("notes", "event")],
    }


def _tables(**parts: list[Nested]) -> Tables:
    return {
        name: pa.concat_tables(
            [part.table(schema) for part in parts.get(name, ())] or [schema.empty_table()]
        )
        for name, schema in TABLES.items()
    }
