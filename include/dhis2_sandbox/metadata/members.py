"""What does the server add to a metadata object when it stores it?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dhis2_sandbox.clock import Clock
from dhis2_sandbox.identifiers import uid_derived_from
from dhis2_sandbox.metadata.classes import CLASSES, INNER_LISTS
from dhis2_sandbox.metadata.store import Members


_ACCESS = dict.fromkeys(("manage", "externalize", "write", "read", "update", "delete"), True)
_DATES = ("openingDate", "closedDate")
_NO_SHARING = {"external": False, "users": {}, "userGroups": {}}
#: Per class or inner list: what is filled in where nothing was sent (recordings: 022 to 025).
_FILLED: Mapping[str, Members] = json.loads(
    (Path(__file__).parent / "server_filled.json").read_text(encoding="utf-8")
)
#: Classes that exports show without these members (recordings: 022).
_WITHOUT_VALUES = frozenset({"programRules", "programRuleActions", "programRuleVariables"})
_WITHOUT_AUTHOR = frozenset({"options"})
_SECRET = frozenset({"password"})


def user_reference(user: Members) -> Members:
    """Return how objects name the user who made or changed them."""
    members = ("id", "code", "name", "displayName", "username")
    return {member: user[member] for member in members if user.get(member) is not None}


def stored_form(
    plural: str, item: Members, stored: Members | None, author: Members, clock: Clock
) -> Members:
    """Return the object as it is to be stored.

    An update replaces the whole object: what the payload omits is gone (metadata 2.3).
    """
    before = stored or {}
    stamp = clock.stamp()
    kind = CLASSES[plural]
    own: Members = {"created": before.get("created", stamp), "translations": []}
    own |= _FILLED.get(plural, {})
    own |= {
        name: value for name, value in item.items() if name not in _SECRET and value is not None
    }
    own["lastUpdated"] = stamp
    if plural not in _WITHOUT_AUTHOR:
        own["lastUpdatedBy"] = user_reference(author)
    if kind.shared or plural == "users":
        own["createdBy"] = before.get("createdBy", user_reference(author))
    name = _name(plural, own)
    if name is not None:
        own |= {"name": name, "displayName": name}
    if plural not in _WITHOUT_VALUES:
        own.setdefault("attributeValues", [])
    own |= {date: clock.local(own[date]) for date in _DATES if own.get(date)}
    _fill_inner_list(plural, own, stamp)
    return own


def sharing_of(item: Members, stored: Members | None, author: str, *, skip: bool) -> Members:
    """Return the sharing that an object has after an import (metadata 2.4)."""
    if skip:
        kept = (stored or {}).get("sharing")
        return kept or _NO_SHARING | {"owner": author, "public": "--------"}
    sent: Mapping[str, Any] = item.get("sharing") or {"public": "rw------"}
    given = {name: value for name, value in sent.items() if value is not None}
    return {"owner": author} | _NO_SHARING | given


def shown(item: Members, base_url: str, plural: str) -> Members:
    """Return the object with what the server computes when it shows it."""
    return item | {
        "href": f"{base_url}/api/{plural}/{item['id']}",
        "access": _ACCESS,
        "favorite": False,
    }


def _name(plural: str, item: Members) -> str | None:
    if plural == "users":
        return f"{item.get('firstName', '')} {item.get('surname', '')}"
    name: str | None = item.get("name")
    return name


def _fill_inner_list(plural: str, item: Members, stamp: str) -> None:
    if plural not in INNER_LISTS:
        return
    member, back = INNER_LISTS[plural]
    item[member] = [
        {"id": uid_derived_from(f"{item['id']}/{member}/{position}"), "created": stamp}
        | {"translations": [], "favorites": [], "sharing": _NO_SHARING}
        | {"attributeValues": [], "favorite": False}
        | _FILLED.get(member, {})
        | inner
        | {"lastUpdated": stamp, "access": _ACCESS, back: {"id": item["id"]}}
        for position, inner in enumerate(item.get(member) or [])
    ]
