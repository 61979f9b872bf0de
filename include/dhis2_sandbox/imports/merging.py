"""Which parts of a tracker object are merged into what is stored?

Attributes and data values: what is left out is kept, null and "" clear (recordings: 096 to 101).
Notes are only ever added (recordings: 108, 109).
"""

import json
from collections.abc import Iterable
from typing import Any

from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.imports.binding import text_of
from dhis2_sandbox.imports.pen import Pen, holdable
from dhis2_sandbox.metadata.store import Members


def merge_attributes(pen: Pen, entity: str, sent: Iterable[Members]) -> None:
    """Set or clear attribute values of a person; an equal value keeps its stamps."""
    for one in sent:
        value = text_of(one.get("value"))
        if value is None:
            pen.connection.execute(
                "DELETE FROM attribute WHERE entity = ? AND attribute = ?",
                (entity, one["attribute"]),
            )
            continue
        pen.connection.execute(
            "INSERT INTO attribute VALUES (?1, ?2, ?3, ?4, ?4, ?5) ON CONFLICT DO UPDATE"
            " SET value = ?3, updated_at = ?4, stored_by = ?5 WHERE value != ?3",
            (entity, one["attribute"], holdable(value), pen.stamp(), pen.author.username),
        )


def merged_data_values(pen: Pen, event: str, sent: Iterable[Members], *, signed: str) -> str:
    """Return the data values that the event has after this, as JSON by data element."""
    row = pen.connection.execute("SELECT data_values FROM event WHERE uid = ?", (event,)).fetchone()
    values: dict[str, Any] = {} if row is None else json.loads(row["data_values"])
    is_signed = signed == "all" or (signed == "updates" and row is not None)
    author = pen.author.uid if is_signed else None
    for one in sent:
        uid, value = one["dataElement"], text_of(one.get("value"))
        if value is None:
            values.pop(uid, None)
        else:
            elsewhere = bool(one.get("providedElsewhere"))
            after = {"value": holdable(value), "elsewhere": elsewhere, "user": author}
            values[uid] = _merged(pen, values.get(uid), after)
    return json.dumps(values, ensure_ascii=False)


def add_notes(pen: Pen, holder: str, sent: Iterable[Members]) -> None:
    """Add the notes that are new; the author and the stamp are the importer's."""
    for note in sent:
        if note.get("value"):
            values = (note.get("note") or new_uid(), holder, holdable(note["value"]))
            pen.connection.execute(
                "INSERT OR IGNORE INTO note (uid, holder, value, stored_at, created_by)"
                " VALUES (?, ?, ?, ?, ?)",
                (*values, pen.stamp(), pen.author.uid),
            )


def _merged(pen: Pen, before: Members | None, after: Members) -> Members:
    same = ("value", "elsewhere")
    if before is not None and all(before[name] == after[name] for name in same):
        return before
    stamp = pen.stamp()
    created = before["created_at"] if before else stamp
    return after | {"created_at": created, "updated_at": stamp}
