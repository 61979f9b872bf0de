"""How is what a payload speaks about read from the database, in a few queries?"""

import json
import sqlite3
from collections.abc import Iterable, Sequence

from dhis2_sandbox.imports.binding import text_of
from dhis2_sandbox.imports.kinds import Kind, end_of
from dhis2_sandbox.imports.payload import Bundle
from dhis2_sandbox.imports.stored import Stored
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


def look_up(connection: sqlite3.Connection, bundle: Bundle, model: Model) -> Stored:
    """Read everything that the checks and the writing will ask about, in a few queries."""
    events = _by_uid(connection, "event", _members(bundle.events, "event"))
    ends = [end_of(item, side) for item in bundle.relationships for side in ("from", "to")]
    named = {kind: [uid for k, uid in filter(None, ends) if k is kind] for kind in Kind}
    if named[Kind.EVENT]:
        events |= _by_uid(connection, "event", named[Kind.EVENT])
    enrollment_uids = _members(bundle.enrollments, "enrollment")
    enrollment_uids |= _members(bundle.events, "enrollment") | set(named[Kind.ENROLLMENT])
    enrollment_uids |= {row["enrollment"] for row in events.values() if row["enrollment"]}
    enrollments = _by_uid(connection, "enrollment", enrollment_uids)
    entity_uids = _members(bundle.entities, "trackedEntity") | set(named[Kind.ENTITY])
    entity_uids |= _members(bundle.enrollments, "trackedEntity")
    entity_uids |= {row["entity"] for row in enrollments.values()}
    return Stored(
        entities=_by_uid(connection, "entity", entity_uids),
        enrollments=enrollments,
        events=events,
        relationships=_by_uid(
            connection, "relationship", _members(bundle.relationships, "relationship")
        ),
        links=_links(connection, [uid for uids in named.values() for uid in uids]),
        attributes=_attributes(connection, entity_uids),
        holders=_holders(connection, bundle, model),
        enrollments_of=_grouped(connection, "enrollment", "entity", entity_uids),
        events_of=_grouped(connection, "event", "enrollment", enrollment_uids),
        notes=_notes(connection, bundle),
        files=_files(connection, bundle),
        owners={
            (row["entity"], row["program"]): row["org_unit"]
            for row in connection.execute(
                "SELECT * FROM owner WHERE entity IN (SELECT value FROM json_each(?))",
                (json.dumps(list(entity_uids)),),
            )
        },
    )


def _links(
    connection: sqlite3.Connection, ends: Iterable[str]
) -> dict[tuple[str, str, str], list[str]]:
    links: dict[tuple[str, str, str], list[str]] = {}
    for row in _rows(connection, "relationship", "from_uid", ends):
        if not row["deleted"]:
            links.setdefault((row["type"], row["from_uid"], row["to_uid"]), []).append(row["uid"])
    return links


def _members(items: Iterable[Members], member: str) -> set[str]:
    return {item[member] for item in items if isinstance(item.get(member), str)}


def _rows(
    connection: sqlite3.Connection, table: str, column: str, values: Iterable[str]
) -> list[sqlite3.Row]:
    query = f"SELECT * FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our names
    return connection.execute(query, (json.dumps(list(values)),)).fetchall()


def _by_uid(
    connection: sqlite3.Connection, table: str, uids: Iterable[str]
) -> dict[str, sqlite3.Row]:
    return {row["uid"]: row for row in _rows(connection, table, "uid", uids)}


def _grouped(
    connection: sqlite3.Connection, table: str, column: str, uids: Iterable[str]
) -> dict[str, list[sqlite3.Row]]:
    grouped: dict[str, list[sqlite3.Row]] = {}
    for row in _rows(connection, table, column, uids):
        grouped.setdefault(row[column], []).append(row)
    return grouped


def _attributes(
    connection: sqlite3.Connection, entities: Iterable[str]
) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for row in _rows(connection, "attribute", "entity", entities):
        values.setdefault(row["entity"], {})[row["attribute"]] = row["value"]
    return values


def _holders(
    connection: sqlite3.Connection, bundle: Bundle, model: Model
) -> dict[tuple[str, str], list[str]]:
    """Return who holds which unique value already."""
    wanted = {
        text_of(value.get("value"))
        for item in (*bundle.entities, *bundle.enrollments)
        for value in item.get("attributes") or []
        if value.get("attribute") in model.unique_attributes
    }
    holders: dict[tuple[str, str], list[str]] = {}
    query = (
        "SELECT * FROM attribute WHERE attribute = ? AND value IN (SELECT value FROM json_each(?))"
    )
    for attribute in model.unique_attributes if wanted else ():
        for row in connection.execute(query, (attribute, json.dumps(list(wanted)))):
            holders.setdefault((attribute, row["value"]), []).append(row["entity"])
    return holders


def _notes(connection: sqlite3.Connection, bundle: Bundle) -> frozenset[str]:
    uids = {
        note["note"]
        for item in (*bundle.enrollments, *bundle.events)
        for note in item.get("notes") or []
        if note.get("note")
    }
    return frozenset(row["uid"] for row in _rows(connection, "note", "uid", uids))


def _files(connection: sqlite3.Connection, bundle: Bundle) -> dict[str, str | None]:
    members = ("attributes", "dataValues")
    values = {
        str(value.get("value"))
        for _, item in bundle.everything()
        for member in members
        for value in item.get(member) or []
    }
    wanted = [value for value in values if len(value) == 11]
    query = "SELECT uid FROM file_resource WHERE uid IN (SELECT value FROM json_each(?))"
    found = [row["uid"] for row in connection.execute(query, (json.dumps(wanted),))]
    return dict.fromkeys(found) | (_owners_of_files(connection, found) if found else {})


def _owners_of_files(connection: sqlite3.Connection, uids: Sequence[str]) -> dict[str, str | None]:
    """Return whose values files are: a person's or an event's."""
    query = (
        "SELECT value AS file, entity AS owner FROM attribute"
        " WHERE value IN (SELECT value FROM json_each(?1))"
        " UNION SELECT json_extract(v.value, '$.value'), e.uid"
        " FROM event e, json_each(e.data_values) v"
        " WHERE json_extract(v.value, '$.value') IN (SELECT value FROM json_each(?1))"
    )
    return {
        row["file"]: row["owner"] for row in connection.execute(query, (json.dumps(list(uids)),))
    }
