"""What a sandbox holds that a copy must hold too, read from its database and not from its API.

So it shares nothing with what it judges. What DHIS2 cannot carry is left out: server stamps,
authors, and before 2.42 the time of completion, which is that of the import (measured: Flows).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from dhis2_sandbox.sandbox import Sandbox


Key = tuple[str, ...]
Held = Mapping[Key, Any]

ENTITY = (
    *("type", "org_unit", "inactive", "potential_duplicate", "geometry"),
    *("created_at_client", "updated_at_client"),
)
ENROLLMENT = (
    *("entity", "program", "org_unit", "status", "enrolled_at", "occurred_at", "completed_at"),
    *("follow_up", "option_combo", "geometry", "created_at_client", "updated_at_client"),
)
EVENT = (
    *("enrollment", "entity", "program", "stage", "org_unit", "status", "occurred_at"),
    *("scheduled_at", "completed_at", "option_combo", "assigned_user", "geometry"),
    *("created_at_client", "updated_at_client"),
)
_FILES = ("FILE_RESOURCE", "IMAGE")


def held_by(sandbox: Sandbox) -> Held:
    """Return everything that lives: (kind, UID) -> what it consists of."""
    kept = sandbox.dialect.completed_at_kept
    with sandbox.database.reading() as connection:
        parts = [
            *_objects(connection, "entity", ENTITY),
            *_objects(connection, "enrollment", _without_completion(ENROLLMENT, kept=kept)),
            *_objects(connection, "event", _without_completion(EVENT, kept=kept)),
            *_attributes(connection, sandbox),
            *_values(connection),
            *_notes(connection),
            *_relationships(connection),
            *_owners(connection),
            *_files(connection, sandbox),
        ]
    return dict(parts)


def differing(ours: Held, theirs: Held) -> dict[Key, tuple[Any, Any]]:
    """Return what two servers hold differently, by key: of the first, and of the second."""
    keys = sorted(ours.keys() | theirs.keys())
    pairs = {key: (ours.get(key), theirs.get(key)) for key in keys}
    return {key: (mine, yours) for key, (mine, yours) in pairs.items() if mine != yours}


def _without_completion(columns: tuple[str, ...], *, kept: bool) -> tuple[str, ...]:
    return columns if kept else tuple(name for name in columns if name != "completed_at")


_Parts = Iterator[tuple[Key, Any]]


def _objects(connection: sqlite3.Connection, kind: str, columns: tuple[str, ...]) -> _Parts:
    rows = connection.execute(f"SELECT * FROM {kind} WHERE deleted = 0")  # noqa: S608 - our names
    for row in rows:
        told = {name: row[name] for name in columns}
        yield (kind, row["uid"]), {**told, "geometry": json.loads(told["geometry"] or "null")}


def _attributes(connection: sqlite3.Connection, sandbox: Sandbox) -> _Parts:
    """Yield those of the person's type, and of the programs they are enrolled in.

    What a deleted enrollment leaves behind is shown to nobody who reads by UID.
    """
    model = sandbox.model
    enrolled: dict[str, set[str]] = {}
    for row in connection.execute("SELECT entity, program FROM enrollment WHERE deleted = 0"):
        enrolled.setdefault(row["entity"], set()).update(model.program_attributes[row["program"]])
    for row in connection.execute(
        "SELECT a.*, e.type FROM attribute a JOIN entity e ON e.uid = a.entity WHERE e.deleted = 0"
    ):
        of_type = model.type_attributes.get(row["type"], {})
        if row["attribute"] in of_type or row["attribute"] in enrolled.get(row["entity"], ()):
            yield ("attribute", row["entity"], row["attribute"]), row["value"]


def _values(connection: sqlite3.Connection) -> _Parts:
    for row in connection.execute("SELECT uid, data_values FROM event WHERE deleted = 0"):
        for element, value in json.loads(row["data_values"]).items():
            told = (value["value"], bool(value["elsewhere"]))
            yield ("value", row["uid"], element), told


def _notes(connection: sqlite3.Connection) -> _Parts:
    for row in connection.execute(
        "SELECT n.* FROM note n WHERE n.holder IN (SELECT uid FROM event WHERE deleted = 0 "
        "UNION SELECT uid FROM enrollment WHERE deleted = 0)"
    ):
        yield ("note", row["uid"]), (row["holder"], row["value"])


def _relationships(connection: sqlite3.Connection) -> _Parts:
    """Yield each by its type and ends: under another UID it is the same one (E4018)."""
    for row in connection.execute("SELECT * FROM relationship WHERE deleted = 0"):
        ends = sorted([row["from_uid"], row["to_uid"]])
        yield ("relationship", row["type"], *ends), True


def _owners(connection: sqlite3.Connection) -> _Parts:
    """Yield the owners of those who are enrolled; others are nobody's business."""
    for row in connection.execute(
        "SELECT o.* FROM owner o JOIN enrollment n ON n.entity = o.entity "
        "AND n.program = o.program AND n.deleted = 0 "
        "JOIN entity e ON e.uid = o.entity AND e.deleted = 0"
    ):
        yield ("owner", row["entity"], row["program"]), row["org_unit"]


def _files(connection: sqlite3.Connection, sandbox: Sandbox) -> _Parts:
    """Yield the content of each file that a living object names."""
    metadata = sandbox.metadata
    named = {
        item["id"]
        for plural in ("dataElements", "trackedEntityAttributes")
        for item in metadata.all(plural)
        if item["valueType"] in _FILES
    }
    found = [*_values(connection), *_attributes(connection, sandbox)]
    texts = {value[0] if key[0] == "value" else value for key, value in found if key[2] in named}
    for row in connection.execute("SELECT uid, content FROM file_resource"):
        if row["uid"] in texts:
            yield ("file", row["uid"]), bytes(row["content"])
