"""What goes with a tracker object that is deleted?

Deleting is soft: the row stays, with a new stamp, and its UID is burned. A person's attribute
values go for good (tracker-api 2.2; recordings: 223 to 238, 395 to 400).
"""

import sqlite3
from collections.abc import Iterable

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.imports.kinds import Kind


class Deleter:
    """Deletes the accepted objects of one request, inside its transaction."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, rights: Rights) -> None:
        """Start with nobody's stamp to move."""
        self._connection = connection
        self._clock = clock
        self._rights = rights
        self.touched: set[str] = set()

    def delete(self, kind: Kind, uid: str) -> None:
        """Delete one object and what is below it."""
        deleters = {
            Kind.ENTITY: self._entity,
            Kind.ENROLLMENT: self._enrollment,
            Kind.EVENT: self._event,
            Kind.RELATIONSHIP: self._relationship,
        }
        deleters[kind](uid)

    def _entity(self, uid: str) -> None:
        for row in self._live("enrollment", "entity", uid):
            self._enrollment(row["uid"])
        self._relationships_of(uid)
        self._connection.execute("DELETE FROM attribute WHERE entity = ?", (uid,))
        self._mark("entity", uid)

    def _enrollment(self, uid: str) -> None:
        for row in self._live("event", "enrollment", uid):
            self._event(row["uid"])
        self._relationships_of(uid)
        self._mark("enrollment", uid)
        row = self._row("enrollment", uid)
        self.touched.add(row["entity"])

    def _event(self, uid: str) -> None:
        self._relationships_of(uid)
        self._mark("event", uid)
        row = self._row("event", uid)
        if row["entity"] is not None:
            self.touched.add(row["entity"])
            self._connection.execute(
                "UPDATE enrollment SET updated_at = ?, updated_by = ? WHERE uid = ?",
                (self._clock.stamp(), self._rights.uid, row["enrollment"]),
            )

    def _relationship(self, uid: str) -> None:
        row = self._row("relationship", uid)
        self._connection.execute(
            "UPDATE relationship SET deleted = 1, updated_at = ? WHERE uid = ?",
            (self._clock.stamp(), uid),
        )
        self.touched |= {row["from_uid"], row["to_uid"]}

    def _relationships_of(self, uid: str) -> None:
        for column in ("from_uid", "to_uid"):
            for row in self._live("relationship", column, uid):
                self._relationship(row["uid"])

    def _mark(self, table: str, uid: str) -> None:
        query = f"UPDATE {table} SET deleted = 1, updated_at = ?, updated_by = ? WHERE uid = ?"  # noqa: S608 - our own names
        self._connection.execute(query, (self._clock.stamp(), self._rights.uid, uid))

    def _live(self, table: str, column: str, uid: str) -> Iterable[sqlite3.Row]:
        query = f"SELECT uid FROM {table} WHERE {column} = ? AND deleted = 0"  # noqa: S608 - our own names
        return self._connection.execute(query, (uid,)).fetchall()

    def _row(self, table: str, uid: str) -> sqlite3.Row:
        query = f"SELECT * FROM {table} WHERE uid = ?"  # noqa: S608 - our own names
        row: sqlite3.Row = self._connection.execute(query, (uid,)).fetchone()
        return row
