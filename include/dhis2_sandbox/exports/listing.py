"""How is a listing put together in SQL?"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dhis2_sandbox.exports.paging import Paging
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.http.answers import Refused


#: Follows a column: it is one of the values of a JSON list.
AMONG = "IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on the row `t`, with the values of its marks."""

    sql: str
    values: tuple[object, ...] = ()


@dataclass(slots=True)
class Listing:
    """A query over one table, built up condition by condition."""

    table: str
    conditions: list[Condition] = field(default_factory=list)
    order: str = "t.id DESC"
    join: str = ""

    def where(self, sql: str, *values: object) -> None:
        """Add a condition."""
        self.conditions.append(Condition(sql, values))

    def where_in(self, column: str, values: Iterable[str]) -> None:
        """Add that a column is one of the values."""
        self.where(f"{column} {AMONG}", json.dumps(list(values)))

    def between(self, column: str, after: str | None, before: str | None) -> None:
        """Add bounds, both of them inclusive (tracker-api 2.1)."""
        if after is not None:
            self.where(f"{column} >= ?", after)
        if before is not None:
            self.where(f"{column} <= ?", before)

    def order_by(self, parameters: Parameters, columns: Mapping[str, str], default: str) -> None:
        """Take the order asked for, or the default one.

        How equal rows follow each other is the version's: by id, or, until 2.40, as they lie in
        the heap, so that a row that changes between two pages moves (tracker-api 2.4).

        Raises:
            Refused: 400 for a name by which nothing can be ordered.
        """
        parts = []
        for part in filter(None, (parameters.text("order") or "").split(",")):
            name, _, direction = part.partition(":")
            if name not in columns:
                message = f"order parameter is invalid. Cannot order by '{name}'."
                raise Refused(400, message, "E1003")
            parts.append(f"{columns[name]} {'DESC' if direction.lower() == 'desc' else 'ASC'}")
        tie = parameters.dialect.tie.format(direction=parts[0].split()[-1] if parts else "DESC")
        self.order = ", ".join([*parts, tie]) if parts else default

    def page(self, connection: sqlite3.Connection, paging: Paging) -> list[sqlite3.Row]:
        """Return the rows of a page, and one more if another page follows."""
        where, values = self._where()
        source = f"FROM {self.table} t {self.join} WHERE {where} ORDER BY {self.order}"
        query = f"SELECT t.* {source} LIMIT ? OFFSET ?"
        return connection.execute(query, (*values, *paging.limits)).fetchall()

    def count(self, connection: sqlite3.Connection) -> int:
        """Return how many rows there are on all pages."""
        where, values = self._where()
        query = f"SELECT count(*) FROM {self.table} t {self.join} WHERE {where}"  # noqa: S608 - our own names
        return int(connection.execute(query, values).fetchone()[0])

    def _where(self) -> tuple[str, Sequence[object]]:
        sql = " AND ".join(condition.sql for condition in self.conditions) or "1"
        return sql, [value for condition in self.conditions for value in condition.values]


def updated_bounds(parameters: Parameters) -> tuple[str | None, str | None]:
    """Return the window of updatedAt that a request asks for."""
    after = parameters.time("updatedAfter")
    within = parameters.since("updatedWithin")
    return after or within, parameters.time("updatedBefore", upper=True)
