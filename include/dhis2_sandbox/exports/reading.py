"""May this account read this one object?"""

import sqlite3

from dhis2_sandbox.access.rights import DATA_READ
from dhis2_sandbox.exports.asked import Asked
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.imports.access_checks import is_open_to
from dhis2_sandbox.imports.kinds import Kind


_TABLES = {
    Kind.ENTITY: "entity",
    Kind.ENROLLMENT: "enrollment",
    Kind.EVENT: "event",
    Kind.RELATIONSHIP: "relationship",
}
_NAMES = {
    Kind.ENTITY: "TrackedEntity",
    Kind.ENROLLMENT: "Enrollment",
    Kind.EVENT: "Event",
    Kind.RELATIONSHIP: "Relationship",
}


def single_row(connection: sqlite3.Connection, kind: Kind, uid: str, asked: Asked) -> sqlite3.Row:
    """Return the row of an object that is there and may be read.

    Raises:
        Refused: 404 for what is not there, deleted objects among it (recordings: 128, 234); 403
            outside of what the account may see.
    """
    query = f"SELECT * FROM {_TABLES[kind]} WHERE uid = ? AND deleted = 0"  # noqa: S608 - our own names
    row: sqlite3.Row | None = connection.execute(query, (uid,)).fetchone()
    if row is None and kind is Kind.ENTITY and asked.parameters.text("program") is not None:
        status = asked.dialect.missing_person_status
        code = "E1005" if status == 404 else None
        raise Refused(status, f"{_NAMES[kind]} with id {uid} could not be found.", code)
    if row is None:
        raise Refused(404, f"{_NAMES[kind]} with id {uid} could not be found.", "E1005")
    if not asked.rights.superuser and not _is_readable(connection, kind, row, asked):
        raise Refused(403, f"User has no access to {_NAMES[kind]}: {uid}", "E1006")
    return row


def _is_readable(
    connection: sqlite3.Connection, kind: Kind, row: sqlite3.Row, asked: Asked
) -> bool:
    model, rights = asked.model, asked.rights
    if kind is Kind.RELATIONSHIP:
        return rights.may(DATA_READ, model.metadata.get("relationshipTypes", row["type"]))
    if kind is Kind.ENTITY:
        owners = connection.execute(
            "SELECT * FROM owner WHERE entity = ?", (row["uid"],)
        ).fetchall()
        places = [row["org_unit"], *(owner["org_unit"] for owner in owners)]
        return any(rights.searches(model.path(place) or "") for place in places)
    program = model.program(row["program"])
    owner = connection.execute(
        "SELECT org_unit FROM owner WHERE entity = ? AND program = ?",
        (row["entity"], row["program"]),
    ).fetchone()
    place = row["org_unit"] if owner is None else owner["org_unit"]
    return (
        program is not None
        and rights.may(DATA_READ, program)
        and is_open_to(rights, program, model.path(place) or "")
    )
