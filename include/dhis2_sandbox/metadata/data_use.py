"""Was data stored with a metadata object?"""

from collections.abc import Mapping
from dataclasses import dataclass

from dhis2_sandbox.database import Database


#: Per class: the table and column that name its objects, and what their rows are called. A real
#: server keeps org units with data as well; here one can go, so that a test has a server without.
_ROWS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "programs": (("enrollment", "program", "Enrollment"), ("event", "program", "Event")),
    "programStages": (("event", "stage", "Event"),),
    "trackedEntityTypes": (("entity", "type", "TrackedEntity"),),
    "trackedEntityAttributes": (("attribute", "attribute", "TrackedEntityAttributeValue"),),
    "relationshipTypes": (("relationship", "type", "Relationship"),),
}


@dataclass(frozen=True, slots=True)
class DataUse:
    """The tracker data of the server, asked for what it was stored with."""

    database: Database

    def of(self, plural: str, uid: str) -> str | None:
        """Return what kind of data holds the object, deleted rows included, or None."""
        with self.database.reading() as connection:
            for table, column, kind in _ROWS.get(plural, ()):
                query = f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1"  # noqa: S608
                if connection.execute(query, (uid,)).fetchone() is not None:
                    return kind
            if plural == "dataElements":
                query = "SELECT 1 FROM event WHERE data_values LIKE ? LIMIT 1"
                if connection.execute(query, (f'%"{uid}"%',)).fetchone() is not None:
                    return "Event"
        return None
