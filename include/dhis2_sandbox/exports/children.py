"""Which rows belong to the people, enrollments and events of a page?"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from dhis2_sandbox.access.rights import DATA_READ, Rights
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.exports.listing import AMONG
from dhis2_sandbox.exports.scope import readable_programs, readable_stages
from dhis2_sandbox.metadata.model import Model


Grouped: TypeAlias = dict[str, list[sqlite3.Row]]


@dataclass(frozen=True, slots=True)
class Children:
    """Reads children of a whole page at once; what the account may not read is not there.

    Attributes:
        program: the only program whose enrollments and owners are read, if given.
        every_program: reads everything in spite of the program.
        deleted: reads deleted children as well.
    """

    connection: sqlite3.Connection
    model: Model
    rights: Rights
    dialect: Dialect
    program: str | None = None
    every_program: bool = False
    deleted: bool = False

    def rows(self, table: str, column: str, values: Iterable[str]) -> list[sqlite3.Row]:
        """Return the rows of a table with one of the values."""
        named = list(values)
        query = f"SELECT * FROM {table} WHERE {column} {AMONG} ORDER BY rowid"  # noqa: S608 - our own names
        return self.connection.execute(query, (json.dumps(named),)).fetchall() if named else []

    def notes(self, holders: Iterable[str]) -> Grouped:
        """Return the notes of enrollments or events."""
        return _by("holder", self.rows("note", "holder", holders))

    def values(self, people: Iterable[str]) -> Grouped:
        """Return the attribute values of people, in the order they came in."""
        query = (
            "SELECT * FROM attribute WHERE entity IN (SELECT value FROM json_each(?))"
            " ORDER BY created_at"
        )
        return _by("entity", self.connection.execute(query, (json.dumps(list(people)),)).fetchall())

    def enrollments(self, people: Iterable[str]) -> Grouped:
        """Return the enrollments of people in the programs that may be read."""
        limited = self.program is not None and not self.every_program
        programs = {self.program} if limited else set(readable_programs(self.model, self.rights))
        rows = self.rows("enrollment", "entity", people)
        return _by(
            "entity", [row for row in rows if row["program"] in programs and self._alive(row)]
        )

    def events(self, enrollments: Iterable[str]) -> Grouped:
        """Return the events of enrollments in the stages that may be read."""
        stages = set(readable_stages(self.model, self.rights))
        rows = self.rows("event", "enrollment", enrollments)
        return _by(
            "enrollment", [row for row in rows if row["stage"] in stages and self._alive(row)]
        )

    def owners(self, people: Iterable[str]) -> Grouped:
        """Return the owners of people."""
        query = "SELECT * FROM owner WHERE entity IN (SELECT value FROM json_each(?))"
        rows = self.connection.execute(query, (json.dumps(list(people)),)).fetchall()
        shown = self.program is None or bool(self.dialect.shows_every_program)
        return _by("entity", [row for row in rows if shown or self.program == row["program"]])

    def enrolled(self, people: Iterable[str]) -> frozenset[str]:
        """Return the people whom somebody owns in the program that the listing is limited to."""
        owners = self.owners(people)
        return frozenset(
            uid
            for uid, rows in owners.items()
            if self.program in {None, *(row["program"] for row in rows)}
        )

    def links(self, uids: Iterable[str]) -> Grouped:
        """Return the relationships at whose ends the objects are."""
        found: Grouped = {}
        named = list(uids)
        for column in ("from_uid", "to_uid"):
            for row in self.rows("relationship", column, named):
                kind = self.model.metadata.get("relationshipTypes", row["type"])
                shown = not row["deleted"] or (self.deleted and self.dialect.nested_deleted_links)
                if shown and self.rights.may(DATA_READ, kind):
                    found.setdefault(row[column], []).append(row)
        return found

    def followed(self, enrollments: Iterable[str]) -> set[str]:
        """Return the enrollments that are marked for follow-up."""
        return {
            row["uid"] for row in self.rows("enrollment", "uid", enrollments) if row["follow_up"]
        }

    def _alive(self, row: sqlite3.Row) -> bool:
        return self.deleted or not row["deleted"]


def _by(column: str, rows: Iterable[sqlite3.Row]) -> Grouped:
    grouped: Grouped = {}
    for row in rows:
        grouped.setdefault(row[column], []).append(row)
    return grouped
