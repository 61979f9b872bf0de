"""Who writes tracker data, at what time, and into which row?"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.http.answers import Unholdable


_NUL = "\0"


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes rows of one request, inside its transaction, under one author."""

    connection: sqlite3.Connection
    clock: Clock
    author: Rights
    written: set[str] = field(default_factory=set)

    def stamp(self) -> str:
        """Return the present moment: every object has its own."""
        return self.clock.stamp()

    def put(self, table: str, uid: str, values: Mapping[str, Any], *, exists: bool) -> None:
        """Change the row if it exists or came in this request already; insert it otherwise."""
        row = {**values, "updated_at": self.stamp(), "updated_by": self.author.uid}
        if exists or uid in self.written:
            row.pop("stored_by", None)
            names = ", ".join(f"{name} = ?" for name in row)
            query = f"UPDATE {table} SET {names} WHERE uid = ?"  # noqa: S608 - our own names
            self.connection.execute(query, (*row.values(), uid))
            return
        row |= {"uid": uid, "created_at": row["updated_at"], "created_by": self.author.uid}
        marks = ", ".join("?" * len(row))
        query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - our own names
        self.connection.execute(query, tuple(row.values()))
        self.written.add(uid)


def holdable(text: str) -> str:
    """Return a text that PostgreSQL can hold.

    Raises:
        Unholdable: for the whole request if the text carries a NUL (measured).
    """
    if _NUL in text:
        raise Unholdable(500, "could not execute statement")
    return text
