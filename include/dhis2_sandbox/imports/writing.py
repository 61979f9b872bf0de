"""How is an accepted tracker object stored?

What is not merged is replaced, and what was left out is reset (recordings: 103 to 114, 343).
"""

import json
from typing import Any

from dhis2_sandbox.imports.assigned_users import assigned_user
from dhis2_sandbox.imports.completion import completion
from dhis2_sandbox.imports.kinds import TABLE, UID_MEMBER, Kind, end_of
from dhis2_sandbox.imports.merging import add_notes, merge_attributes, merged_data_values
from dhis2_sandbox.imports.pen import Pen
from dhis2_sandbox.imports.situation import Situation
from dhis2_sandbox.metadata.store import Members


class Writer:
    """Writes the accepted objects of one request, inside its transaction."""

    def __init__(self, pen: Pen, situation: Situation) -> None:
        """Start with nobody's stamp to move."""
        self._pen = pen
        self._situation = situation
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
        self._pen.connection.execute(
            "UPDATE entity SET updated_at = ?, updated_by = ?"
            " WHERE deleted = 0 AND uid IN (SELECT value FROM json_each(?))",
            (self._pen.stamp(), self._pen.author.uid, json.dumps(list(self.touched))),
        )

    def _entity(self, item: Members) -> None:
        values = {
            "type": item["trackedEntityType"],
            "org_unit": item["orgUnit"],
            "inactive": bool(item.get("inactive")),
            "potential_duplicate": bool(item.get("potentialDuplicate")),
        }
        self._put(Kind.ENTITY, item, values)
        merge_attributes(self._pen, item["trackedEntity"], item.get("attributes") or [])
        self.touched.add(item["trackedEntity"])

    def _enrollment(self, item: Members) -> None:
        entity, program = item["trackedEntity"], item["program"]
        status = item.get("status") or "ACTIVE"
        values = {
            "entity": entity,
            "program": program,
            "org_unit": item["orgUnit"],
            "status": status,
            "enrolled_at": item["enrolledAt"],
            "occurred_at": item.get("occurredAt") or item["enrolledAt"],
            "follow_up": bool(item.get("followUp")),
            "option_combo": item.get("attributeOptionCombo")
            or self._situation.model.default_option_combo,
            **completion(self._pen, self._situation, Kind.ENROLLMENT, item),
        }
        self._put(Kind.ENROLLMENT, item, values)
        merge_attributes(self._pen, entity, item.get("attributes") or [])
        add_notes(self._pen, item["enrollment"], item.get("notes") or [])
        self._pen.connection.execute(
            "INSERT OR IGNORE INTO owner VALUES (?, ?, ?)", (entity, program, item["orgUnit"])
        )
        self.touched.add(entity)

    def _event(self, item: Members) -> None:
        with_people = self._situation.model.has_registration(item["program"])
        enrollment = item.get("enrollment") if with_people else None
        _, entity = self._situation.program_and_entity(enrollment)
        status = item.get("status") or "ACTIVE"
        combo = item.get("attributeOptionCombo") or self._situation.model.default_option_combo
        values = {
            "enrollment": enrollment,
            "entity": entity,
            "program": item["program"],
            "stage": item["programStage"],
            "org_unit": item["orgUnit"],
            "status": "ACTIVE" if status == "VISITED" else status,
            "occurred_at": item.get("occurredAt"),
            "scheduled_at": item.get("scheduledAt"),
            "option_combo": combo,
            "category_options": self._category_options(combo),
            "assigned_user": assigned_user(self._situation, item),
            "data_values": merged_data_values(
                self._pen,
                item["event"],
                item.get("dataValues") or [],
                signed=self._situation.dialect.signed_values,
            ),
            **completion(self._pen, self._situation, Kind.EVENT, item),
        }
        self._put(Kind.EVENT, item, values)
        add_notes(self._pen, item["event"], item.get("notes") or [])
        self.touched |= {entity} if entity is not None else set()

    def _relationship(self, item: Members) -> None:
        ends = [end for end in (end_of(item, "from"), end_of(item, "to")) if end is not None]
        flat = [part for end in ends for part in end]
        stamp, kind = self._pen.stamp(), item["relationshipType"]
        self._pen.connection.execute(
            "INSERT INTO relationship (uid, type, from_kind, from_uid, to_kind, to_uid,"
            " created_at, updated_at, created_at_client) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (item["relationship"], kind, *flat, stamp, stamp, item.get("createdAtClient")),
        )
        known = self._situation.model.metadata.get("relationshipTypes", kind) or {}
        self.touched |= {uid for _, uid in (ends if known.get("bidirectional") else ends[:1])}

    def _put(self, kind: Kind, item: Members, values: dict[str, Any]) -> None:
        geometry, uid = item.get("geometry"), item[UID_MEMBER[kind]]
        common = {
            "geometry": json.dumps(geometry) if geometry else None,
            "created_at_client": item.get("createdAtClient"),
            "updated_at_client": item.get("updatedAtClient"),
            "stored_by": self._stored_by(kind, item),
        }
        exists = self._situation.stored.row(kind, uid) is not None
        self._pen.put(TABLE[kind], uid, values | common, exists=exists)

    def _stored_by(self, kind: Kind, item: Members) -> str | None:
        """Return who is named beside the author: what was sent, or the author (measured)."""
        if self._situation.dialect.author_is_stored_by and kind is not Kind.ENTITY:
            return self._pen.author.username
        return item.get("storedBy")

    def _category_options(self, combo: str) -> str:
        known = self._situation.model.metadata.get("categoryOptionCombos", combo) or {}
        return ",".join(option["id"] for option in known.get("categoryOptions", []))
