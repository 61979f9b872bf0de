"""How does a note come to an object that is not sent again?

Not recorded. What is checked, and in which order, is what the source of 2.42 says.
"""

import json
import sqlite3
from collections.abc import Mapping

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.exports.asked import Asked
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.exports.reading import single_row
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.imports.binding import unreadable
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.merging import add_notes
from dhis2_sandbox.imports.pen import Pen
from dhis2_sandbox.metadata.store import Members
from dhis2_sandbox.sandbox import Sandbox


#: What can have notes, by its name in an address.
NOTED: Mapping[str, Kind] = {"enrollments": Kind.ENROLLMENT, "events": Kind.EVENT}


def append_note(sandbox: Sandbox, rights: Rights, holder: tuple[str, str], body: bytes) -> Members:
    """Add a note to what the account may read, and return it.

    Args:
        sandbox: the server.
        rights: who asks.
        holder: its name in the address, and its UID.
        body: the note.

    Raises:
        Refused: 404 or 403 for an object that is not there or out of reach, 400 for an empty note
            or one whose UID is taken.
    """
    name, uid = holder
    note = _parsed(body)
    nothing = Parameters([], sandbox.clock, sandbox.dialect)
    asked = Asked(nothing, sandbox.model, rights, sandbox.dialect)
    with sandbox.database.writing() as connection:
        single_row(connection, NOTED[name], uid, asked)
        _check(connection, note)
        add_notes(Pen(connection, sandbox.clock, rights), uid, [note])
    return note


def _parsed(body: bytes) -> Members:
    try:
        note = json.loads(body)
    except ValueError as error:
        unreadable(str(error))
    if not isinstance(note, dict):
        unreadable("Cannot deserialize value of type `Note`")
    return note


def _check(connection: sqlite3.Connection, note: Members) -> None:
    if not note.get("value"):
        raise Refused(400, "Value cannot be empty", "E1003")
    taken = connection.execute("SELECT 1 FROM note WHERE uid = ?", (note.get("note"),)).fetchone()
    if taken is not None:
        raise Refused(400, f"Note `{note['note']}` already exists.", "E1003")
