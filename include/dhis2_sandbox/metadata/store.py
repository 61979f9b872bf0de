"""Which metadata does the server hold right now?"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from dhis2_sandbox.database import Database


Members: TypeAlias = dict[str, Any]


class Metadata:
    """One state of all metadata. Nobody changes an object that came from here."""

    def __init__(self, objects: Mapping[str, dict[str, Members]]) -> None:
        """Take the objects of every class by UID."""
        self._objects = objects

    def get(self, plural: str, uid: str | None) -> Members | None:
        """Return one object, or None."""
        return self._objects.get(plural, {}).get(uid or "")

    def all(self, plural: str) -> Collection[Members]:
        """Return every object of a class, oldest first."""
        return self._objects.get(plural, {}).values()


class MetadataStore:
    """The stored metadata, kept parsed because every import needs it."""

    def __init__(self, database: Database) -> None:
        """Read what the file holds."""
        self._database = database
        self._current = self._read()

    def current(self) -> Metadata:
        """Return the present state. What changes later does not change it."""
        return self._current

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Yield a transaction. What it did is the present state afterwards, or nothing is."""
        try:
            with self._database.writing() as connection:
                yield connection
        finally:
            self.refresh()

    def put(self, connection: sqlite3.Connection, plural: str, objects: Iterable[Members]) -> None:
        """Store objects, new or changed."""
        connection.executemany(
            "INSERT INTO metadata VALUES (?, ?, ?)"
            " ON CONFLICT (class, uid) DO UPDATE SET body = excluded.body",
            [(plural, item["id"], json.dumps(item, ensure_ascii=False)) for item in objects],
        )

    def remove(self, connection: sqlite3.Connection, plural: str, uid: str) -> None:
        """Delete one object. Data that refers to it stays."""
        connection.execute("DELETE FROM metadata WHERE class = ? AND uid = ?", (plural, uid))

    def refresh(self) -> None:
        """Make what was committed the present state."""
        self._current = self._read()

    def _read(self) -> Metadata:
        objects: dict[str, dict[str, Members]] = {}
        with self._database.reading() as connection:
            rows = connection.execute("SELECT class, uid, body FROM metadata ORDER BY rowid")
            for plural, uid, body in rows:
                objects.setdefault(plural, {})[uid] = json.loads(body)
        return Metadata(objects)
