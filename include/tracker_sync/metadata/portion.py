"""The portion: what of the source's metadata is ours to send?"""

from __future__ import annotations

from collections.abc import Mapping

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.classes import Objects


#: Fields that are not ours to send: people, what writes to people, files, other programs.
#: Templates would send messages for every record that arrives (metadata, trap 28).
LEFT_OUT = frozenset(
    {
        "image",
        "notificationTemplates",
        "recipientUserGroup",
        "relatedProgram",
        "userGroups",
        "userRoles",
    }
)
CLASSES_LEFT_OUT = frozenset({"programNotificationTemplates", "userGroups", "userRoles", "users"})

#: Rule actions that write to people; their templates are not ours to send.
_MESSAGES = frozenset({"SENDMESSAGE", "SCHEDULEMESSAGE"})


def cut(value: Json, reached: frozenset[str], known: Mapping[str, str]) -> Json:
    """Return metadata without what is not ours, at every level.

    Args:
        value: An object, or what is in it.
        reached: The org units of the route; assignments to others are not ours.
        known: UIDs of what the destination has of its own -> what it calls them.
    """
    if isinstance(value, list):
        return [cut(item, reached, known) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        name: inner if name == "sharing" else cut(inner, reached, known)
        for name, inner in value.items()
        if name not in LEFT_OUT
    }
    if value.get("id") in known:
        kept["id"] = known[value["id"]]
    if "organisationUnits" in kept:  # two of them may have become one
        units = {unit["id"]: unit for unit in kept["organisationUnits"] if unit["id"] in reached}
        kept["organisationUnits"] = [*units.values()]
    return kept


def without_messages(objects: Mapping[str, Mapping[str, Fields]]) -> Objects:
    """Return objects without the rule actions that send messages by a template."""
    actions = objects.get("programRuleActions", {})
    kept = {
        uid: fields
        for uid, fields in actions.items()
        if fields.get("programRuleActionType") not in _MESSAGES
    }
    rules = {
        uid: fields | {"programRuleActions": _those(fields.get("programRuleActions", []), kept)}
        for uid, fields in objects.get("programRules", {}).items()
    }
    return {**objects, "programRules": rules, "programRuleActions": kept}


def _those(items: list[Fields], kept: Mapping[str, Fields]) -> list[Fields]:
    return [item for item in items if item["id"] in kept]
