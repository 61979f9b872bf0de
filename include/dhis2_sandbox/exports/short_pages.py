"""Which rows fall out of a page that was cut already?

A page that comes out short, or empty, is not the last one then (tracker-api 2.4).
"""

import sqlite3
from collections.abc import Sequence

from dhis2_sandbox.exports.asked import Asked, as_json, owner_checked_after_page, reach_of


_PERSON = {"trackedEntities": "uid", "enrollments": "entity"}


def kept_rows(
    connection: sqlite3.Connection, endpoint: str, rows: Sequence[sqlite3.Row], asked: Asked
) -> list[sqlite3.Row]:
    """Return the rows of a page that are shown.

    A person who was counted once for every enrollment is shown once (recordings: 176 of 2.40.9),
    and rows whose owner is not open to the account are not shown.
    """
    once = list({row["uid"]: row for row in rows}.values())
    program = asked.program
    if program is None or not owner_checked_after_page(asked, endpoint):
        return once
    reach = reach_of(asked.scope(endpoint), program)
    if reach is None:
        return once
    column = _PERSON[endpoint]
    query = "SELECT * FROM owner WHERE program = ? AND entity IN (SELECT value FROM json_each(?))"
    people = as_json(row[column] for row in once)
    owners = connection.execute(query, (program["id"], people)).fetchall()
    open_people = {owner["entity"] for owner in owners if owner["org_unit"] in reach}
    return [row for row in once if row[column] in open_people]
