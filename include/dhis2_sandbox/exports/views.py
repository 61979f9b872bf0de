"""How does a stored row look when it is shown?

Properties without a value are left out (recordings: 115 to 161).
"""

import json
import sqlite3

from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.exports.part_views import data_value_views, named_user, present
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


def entity_view(row: sqlite3.Row, model: Model) -> Members:
    """Show a person, without lists."""
    return present(
        {
            "trackedEntity": row["uid"],
            "trackedEntityType": row["type"],
            **_stamps(row),
            "orgUnit": row["org_unit"],
            "inactive": bool(row["inactive"]),
            "deleted": bool(row["deleted"]),
            "potentialDuplicate": bool(row["potential_duplicate"]),
            **_common(row, model),
        }
    )


def enrollment_view(row: sqlite3.Row, model: Model) -> Members:
    """Show an enrollment, without lists."""
    return present(
        {
            "enrollment": row["uid"],
            **_stamps(row),
            "trackedEntity": row["entity"],
            "program": row["program"],
            "status": row["status"],
            "orgUnit": row["org_unit"],
            "orgUnitName": model.org_unit_name(row["org_unit"]),
            "enrolledAt": row["enrolled_at"],
            "occurredAt": row["occurred_at"],
            "followUp": bool(row["follow_up"]),
            "completedBy": row["completed_by"],
            "completedAt": row["completed_at"],
            "deleted": bool(row["deleted"]),
            "attributeOptionCombo": row["option_combo"],
            **_common(row, model),
        }
    )


def event_view(row: sqlite3.Row, model: Model, dialect: Dialect, *, follow_up: bool) -> Members:
    """Show an event with its data values. The follow-up flag is its enrollment's (tracker-api)."""
    user = named_user(model.user_view(row["assigned_user"]))
    kept = dialect.single_events_enrolled
    placeholder = model.placeholder_enrollment(row["program"]) if kept else None
    return present(
        {
            "event": row["uid"],
            "status": row["status"],
            "program": row["program"],
            "programStage": row["stage"],
            "enrollment": row["enrollment"] or placeholder,
            "trackedEntity": row["entity"],
            "orgUnit": row["org_unit"],
            "orgUnitName": model.org_unit_name(row["org_unit"]),
            "occurredAt": row["occurred_at"],
            "scheduledAt": row["scheduled_at"],
            "followUp": follow_up,
            "followup": follow_up,
            "deleted": bool(row["deleted"]),
            **_stamps(row),
            "attributeOptionCombo": row["option_combo"],
            "attributeCategoryOptions": row["category_options"] or None,
            "completedBy": row["completed_by"],
            "completedAt": row["completed_at"],
            "assignedUser": dialect.nobody_assigned if user is None else user,
            **_common(row, model),
            "dataValues": data_value_views(row, model),
        }
    )


def _stamps(row: sqlite3.Row) -> Members:
    return {
        "createdAt": row["created_at"],
        "createdAtClient": row["created_at_client"],
        "updatedAt": row["updated_at"],
        "updatedAtClient": row["updated_at_client"],
    }


def _common(row: sqlite3.Row, model: Model) -> Members:
    return {
        "geometry": json.loads(row["geometry"]) if row["geometry"] else None,
        "storedBy": row["stored_by"],
        "createdBy": model.user_view(row["created_by"]),
        "updatedBy": model.user_view(row["updated_by"]),
    }
