"""What does the database hold of the objects that a payload speaks about?"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dhis2_sandbox.imports.kinds import Kind


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored when the request was checked; deleted objects are among it.

    A file has the person or event whose value it is, if it is one's.
    """

    entities: Mapping[str, sqlite3.Row]
    enrollments: Mapping[str, sqlite3.Row]
    events: Mapping[str, sqlite3.Row]
    relationships: Mapping[str, sqlite3.Row]
    links: Mapping[tuple[str, str, str], Sequence[str]]
    attributes: Mapping[str, Mapping[str, str]]
    holders: Mapping[tuple[str, str], Sequence[str]]
    enrollments_of: Mapping[str, Sequence[sqlite3.Row]]
    events_of: Mapping[str, Sequence[sqlite3.Row]]
    notes: frozenset[str]
    files: Mapping[str, str | None]
    owners: Mapping[tuple[str, str], str]

    def row(self, kind: Kind, uid: str | None) -> sqlite3.Row | None:
        """Return an object's row, deleted or not."""
        tables = (self.entities, self.enrollments, self.events, self.relationships)
        return tables[list(Kind).index(kind)].get(uid or "")

    def live(self, kind: Kind, uid: str | None) -> sqlite3.Row | None:
        """Return an object's row if the object is not deleted."""
        row = self.row(kind, uid)
        return None if row is None or row["deleted"] else row
