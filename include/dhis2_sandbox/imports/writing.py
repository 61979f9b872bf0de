"""How is an accepted tracker object stored?

Attributes, data values and notes are merged; everything else is replaced, and what was left out
is reset (recordings: 096 to 114, 343).
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.imports.event_checks import assigned_user
from dhis2_sandbox.imports.payload import Kind, end_of, text_of
from dhis2_sandbox.imports.situation import Situation
from dhis2_sandbox.metadata.first_objects import OPTION_COMBO
from dhis2_sandbox.metadata.store import Members


_NUL = "\0"


class Writer:
    """Writes the accepted objects of one request, inside its transaction."""

    def __init__(self, connection: sqlite3.Connection, situation: Situation) -> None:
        """Start with nothing written, and nobody's stamp to move."""
        self._connection = connection
        self._situation = situation
        self._author = situation.rights
        self._written: set[str] = set()
        self.touched: set[str] = set()

    def write(self, kind: Kind, item: Members) -> None:
        """Store one object.

        Raises:
            Refused: the whole request, for a text that PostgreSQL cannot hold (measured).
        """
        writers = {
            Kind.ENTITY: self._entity,
            Kind.ENROLLMENT: self._enrollment,
            Kind.EVENT: self._event,
            Kind.RELATIONSHIP: self._relationship,
        }
        writers[kind](item)

    def move_stamps(self) -> None:
        """Move updatedAt of every person whose data changed: one stamp for all of them."""
        self._connection.execute(
            "UPDATE entity SET updated_at = ?, updated_by = ?"
            " WHERE deleted = 0 AND uid IN (SELECT value FROM json_each(?))",
            (self._stamp(), self._author.uid, json.dumps(list(self.touched))),
        )

    def _stamp(self) -> str:
        return self._situation.clock.stamp()

    def _entity(self, item: Members) -> None:
        uid = item["trackedEntity"]
        values = {
            "type": item["trackedEntityType"],
            "org_unit": item["orgUnit"],
            "inactive": bool(item.get("inactive")),
            "potential_duplicate": bool(item.get("potentialDuplicate")),
            **self._members_of_all(item),
        }
        self._put("entity", uid, values, item)
        self._attributes(uid, item)
        self.touched.add(uid)

    def _enrollment(self, item: Members) -> None:
        uid, entity = item["enrollment"], item["trackedEntity"]
        status = item.get("status") or "ACTIVE"
        values = {
            "entity": entity,
            "program": item["program"],
            "org_unit": item["orgUnit"],
            "status": status,
            "enrolled_at": item["enrolledAt"],
            "occurred_at": item.get("occurredAt") or item["enrolledAt"],
            "follow_up": bool(item.get("followUp")),
            **self._completion(Kind.ENROLLMENT, item, status),
            **self._members_of_all(item),
        }
        self._put("enrollment", uid, values, item)
        self._attributes(entity, item)
        self._notes(uid, item)
        self._connection.execute(
            "INSERT OR IGNORE INTO owner VALUES (?, ?, ?)",
            (entity, item["program"], item["orgUnit"]),
        )
        self.touched.add(entity)

    def _event(self, item: Members) -> None:
        uid, enrollment = item["event"], item.get("enrollment")
        with_people = self._situation.model.has_registration(item["program"])
        _, entity = self._situation.program_and_entity(enrollment)
        status = item.get("status") or "ACTIVE"
        stage = self._situation.model.stage(item["programStage"]) or {}
        assignable = stage.get("enableUserAssignment")
        combo = item.get("attributeOptionCombo") or OPTION_COMBO
        values = {
            "enrollment": enrollment if with_people else None,
            "entity": entity if with_people else None,
            "program": item["program"],
            "stage": item["programStage"],
            "org_unit": item["orgUnit"],
            "status": "ACTIVE" if status == "VISITED" else status,
            "occurred_at": item.get("occurredAt"),
            "scheduled_at": item.get("scheduledAt"),
            "option_combo": combo,
            "category_options": self._category_options(combo),
            "assigned_user": assigned_user(self._situation, item) if assignable else None,
            "data_values": json.dumps(self._data_values(item), ensure_ascii=False),
            **self._completion(Kind.EVENT, item, status),
            **self._members_of_all(item),
        }
        self._put("event", uid, values, item)
        self._notes(uid, item)
        if with_people and entity is not None:
            self.touched.add(entity)

    def _relationship(self, item: Members) -> None:
        ends = end_of(item, "from"), end_of(item, "to")
        if ends[0] is None or ends[1] is None:
            return
        (from_kind, from_uid), (to_kind, to_uid) = ends
        stamp, uid = self._stamp(), item["relationship"]
        self._connection.execute(
            "INSERT INTO relationship (uid, type, from_kind, from_uid, to_kind, to_uid,"
            " created_at, updated_at, created_at_client) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (uid, item["relationshipType"], from_kind, from_uid, to_kind, to_uid)
            + (stamp, stamp, item.get("createdAtClient")),
        )
        kind = (
            self._situation.model.metadata.get("relationshipTypes", item["relationshipType"]) or {}
        )
        self.touched |= {from_uid, to_uid} if kind.get("bidirectional") else {from_uid}

    def _put(self, table: str, uid: str, values: Mapping[str, Any], item: Members) -> None:
        """Insert the object, or change it if it exists or came in this request already."""
        stamp, author = self._stamp(), self._author.uid
        row = {**values, "updated_at": stamp, "updated_by": author}
        if uid in self._written or self._situation.stored.row(_KINDS[table], uid) is not None:
            names = ", ".join(f"{name} = ?" for name in row)
            query = f"UPDATE {table} SET {names} WHERE uid = ?"  # noqa: S608 - our own names
            self._connection.execute(query, (*row.values(), uid))
            return
        row |= {"uid": uid, "created_at": stamp, "created_by": author}
        row["stored_by"] = item.get("storedBy")
        marks = ", ".join("?" * len(row))
        query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - our own names
        self._connection.execute(query, tuple(row.values()))
        self._written.add(uid)

    def _members_of_all(self, item: Members) -> dict[str, Any]:
        geometry = item.get("geometry")
        return {
            "geometry": json.dumps(geometry) if geometry else None,
            "created_at_client": item.get("createdAtClient"),
            "updated_at_client": item.get("updatedAtClient"),
        }

    def _completion(self, kind: Kind, item: Members, status: str) -> dict[str, Any]:
        """Return when and by whom: of the moment the status was reached, never changed later."""
        closing = {"COMPLETED", "CANCELLED"} if kind is Kind.ENROLLMENT else {"COMPLETED"}
        if status not in closing:
            return {"completed_at": None, "completed_by": None}
        before = self._situation.before(kind, item)
        if before is not None and before["status"] == status:
            return {name: before[name] for name in ("completed_at", "completed_by")}
        return {
            "completed_at": item.get("completedAt") or self._stamp(),
            "completed_by": self._author.username if status == "COMPLETED" else None,
        }

    def _category_options(self, combo: str) -> str:
        known = self._situation.model.metadata.get("categoryOptionCombos", combo) or {}
        return ",".join(option["id"] for option in known.get("categoryOptions", []))

    def _attributes(self, entity: str, item: Members) -> None:
        for sent in item.get("attributes") or []:
            value, stamp = text_of(sent.get("value")), self._stamp()
            if value is None:
                self._connection.execute(
                    "DELETE FROM attribute WHERE entity = ? AND attribute = ?",
                    (entity, sent["attribute"]),
                )
                continue
            self._connection.execute(
                "INSERT INTO attribute VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO UPDATE"
                " SET value = ?3, updated_at = ?4 WHERE value != ?3",
                (entity, sent["attribute"], _holdable(value), stamp),
            )

    def _data_values(self, item: Members) -> dict[str, Any]:
        row = self._connection.execute(
            "SELECT data_values FROM event WHERE uid = ?", (item["event"],)
        ).fetchone()
        values: dict[str, Any] = {} if row is None else json.loads(row["data_values"])
        for sent in item.get("dataValues") or []:
            uid, value, stamp = sent["dataElement"], text_of(sent.get("value")), self._stamp()
            elsewhere = bool(sent.get("providedElsewhere"))
            before = values.get(uid)
            if value is None:
                values.pop(uid, None)
            elif before is None or (before["value"], before["elsewhere"]) != (value, elsewhere):
                values[uid] = {
                    "value": _holdable(value),
                    "elsewhere": elsewhere,
                    "created_at": before["created_at"] if before else stamp,
                    "updated_at": stamp,
                    "user": self._author.uid,
                }
        return values

    def _notes(self, holder: str, item: Members) -> None:
        notes: Iterable[Members] = item.get("notes") or []
        for note in notes:
            if not note.get("value"):
                continue
            self._connection.execute(
                "INSERT OR IGNORE INTO note (uid, holder, value, stored_at, created_by)"
                " VALUES (?, ?, ?, ?, ?)",
                (note.get("note") or new_uid(), holder, _holdable(note["value"]))
                + (self._stamp(), self._author.uid),
            )


_KINDS = {"entity": Kind.ENTITY, "enrollment": Kind.ENROLLMENT, "event": Kind.EVENT}


def _holdable(text: str) -> str:
    if _NUL in text:
        raise Refused(500, "could not execute statement")
    return text
