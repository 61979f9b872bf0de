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
        self._draft = self._read()
        self._current = Metadata(self._draft)

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
            self._draft = self._read()
            self.refresh()

    def put(self, connection: sqlite3.Connection, plural: str, objects: Iterable[Members]) -> None:
        """Store objects, new or changed."""
        for item in objects:
            connection.execute(
                "INSERT INTO metadata VALUES (?, ?, ?)"
                " ON CONFLICT (class, uid) DO UPDATE SET body = excluded.body",
                (plural, item["id"], json.dumps(item, ensure_ascii=False)),
            )
            self._draft.setdefault(plural, {})[item["id"]] = item

    def remove(self, connection: sqlite3.Connection, plural: str, uid: str) -> None:
        """Delete one object. Data that refers to it stays."""
        connection.execute("DELETE FROM metadata WHERE class = ? AND uid = ?", (plural, uid))
        self._draft.get(plural, {}).pop(uid, None)

    def refresh(self) -> None:
        """Make what was put and removed until now the present state."""
        self._current = Metadata(_copied(self._draft))

    def _read(self) -> dict[str, dict[str, Members]]:
        objects: dict[str, dict[str, Members]] = {}
        with self._database.reading() as connection:
            rows = connection.execute("SELECT class, uid, body FROM metadata ORDER BY rowid")
            for plural, uid, body in rows:
                objects.setdefault(plural, {})[uid] = json.loads(body)
        return objects


def _copied(objects: Mapping[str, dict[str, Members]]) -> dict[str, dict[str, Members]]:
    return {plural: dict(items) for plural, items in objects.items()}
