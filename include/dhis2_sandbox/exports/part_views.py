"""How do the parts of tracker objects look: values, notes, owners, links?"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from dhis2_sandbox.imports.kinds import UID_MEMBER, Kind
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


def present(members: Mapping[str, Any]) -> Members:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def visible(view: Members, name: str, hidden: Mapping[str, frozenset[str]]) -> Members:
    """Return a view without what a version does not show of it, and of the parts inside it.

    Args:
        view: the view of an object or of a part.
        name: the kind of object, or the list that holds the part, e.g. `dataValues`.
        hidden: what is not shown, by such names.
    """
    gone = hidden.get(name, frozenset())
    return {
        member: _visible_inside(value, member, hidden) if member in hidden else value
        for member, value in view.items()
        if member not in gone
    }


def _visible_inside(value: Any, name: str, hidden: Mapping[str, frozenset[str]]) -> Any:
    if isinstance(value, list):
        return [visible(item, name, hidden) for item in value]
    return visible(value, name, hidden)


def attribute_views(
    rows: Iterable[sqlite3.Row], wanted: Mapping[str, bool], model: Model
) -> list[Members]:
    """Show those attribute values that belong here."""
    views = []
    for row in rows:
        attribute = model.attribute(row["attribute"])
        if attribute is None or row["attribute"] not in wanted:
            continue
        view = {
            "attribute": row["attribute"],
            "code": attribute.get("code"),
            "displayName": attribute["name"],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "storedBy": row["stored_by"],
            "valueType": attribute["valueType"],
            "value": row["value"],
        }
        views.append(present(view))
    return views


def note_view(row: sqlite3.Row, model: Model) -> Members:
    """Show a note."""
    author = model.user_view(row["created_by"])
    return present(
        {
            "note": row["uid"],
            "storedAt": row["stored_at"],
            "value": row["value"],
            "createdBy": named_user(author),
            "storedBy": author["username"] if author else None,
        }
    )


def owner_view(row: sqlite3.Row) -> Members:
    """Show who owns a person in a program."""
    return {"orgUnit": row["org_unit"], "trackedEntity": row["entity"], "program": row["program"]}


def relationship_view(row: sqlite3.Row, model: Model, ends: Mapping[str, Members]) -> Members:
    """Show a relationship. Nothing says whether it is deleted (measured)."""
    kind = model.metadata.get("relationshipTypes", row["type"]) or {}
    return present(
        {
            "relationship": row["uid"],
            "relationshipName": kind.get("name"),
            "relationshipType": row["type"],
            "createdAt": row["created_at"],
            "createdAtClient": row["created_at_client"],
            "updatedAt": row["updated_at"],
            "bidirectional": bool(kind.get("bidirectional")),
            **{
                side: {UID_MEMBER[Kind(row[f"{side}_kind"])]: ends[row[f"{side}_uid"]]}
                for side in ("from", "to")
                if row[f"{side}_uid"] in ends
            },
        }
    )


def bare_end(kind: Kind, row: sqlite3.Row) -> Members:
    """Show the end of a relationship as 2.40 does inside of people (recordings: 166 of 2.40.9)."""
    own = {UID_MEMBER[kind]: row["uid"]}
    if kind is not Kind.ENTITY:
        return own
    flags = {"inactive": False, "deleted": False, "potentialDuplicate": False}
    return {**own, **flags, "attributes": [], "programOwners": []}


def named_user(user: Members | None) -> Members | None:
    """Show a user with a display name."""
    if user is None:
        return None
    return {**user, "displayName": f"{user['firstName']} {user['surname']}"}


def data_value_views(row: sqlite3.Row, model: Model) -> list[Members]:
    """Show the data values of an event."""
    views = []
    for uid, value in json.loads(row["data_values"]).items():
        user = model.user_view(value["user"])
        view = {
            "createdAt": value["created_at"],
            "updatedAt": value["updated_at"],
            "storedBy": user["username"] if user else None,
            "providedElsewhere": value["elsewhere"],
            "dataElement": uid,
            "value": value["value"],
            "createdBy": user,
            "updatedBy": user,
        }
        views.append(present(view))
    return views
