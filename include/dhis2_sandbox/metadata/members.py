"""What does the server add to a metadata object when it stores it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.clock import Clock
from dhis2_sandbox.identifiers import uid_derived_from
from dhis2_sandbox.metadata.classes import CLASSES, INNER_LISTS
from dhis2_sandbox.metadata.schema import Schema
from dhis2_sandbox.metadata.store import Members


_ACCESS = ("manage", "externalize", "write", "read", "update", "delete")
_DATES = ("openingDate", "closedDate")
_EXTERNAL_UNTIL = 42
#: Classes that exports show without these members (recordings: 022).
_WITHOUT_VALUES = frozenset({"programRules", "programRuleActions", "programRuleVariables"})
_WITHOUT_AUTHOR = frozenset({"options"})
_VERSIONED = frozenset({"programs", "optionSets"})
_SECRET = frozenset({"password"})


@dataclass(frozen=True, slots=True)
class Registrar:
    """Gives objects the form in which they are stored, in the name of one account."""

    schema: Schema
    clock: Clock
    author: Members

    def stored_form(self, plural: str, item: Members, stored: Members | None) -> Members:
        """Return the object as it is to be stored, but for its sharing.

        An update replaces the whole object: what the payload omits is gone, and what is in its
        inner lists is made anew (metadata 2.3).
        """
        before, stamp = stored or {}, self.clock.stamp()
        own: Members = {"created": before.get("created", stamp), "translations": []}
        own |= self.schema.filled(plural)
        sent = self.schema.known(plural, item)
        own |= {name: value for name, value in sent.items() if name not in _SECRET}
        own |= self._signature(plural, before, stamp)
        own |= _names(plural, own)
        if plural not in _WITHOUT_VALUES:
            own.setdefault("attributeValues", [])
        own |= {date: self.clock.local(own[date]) for date in _DATES if own.get(date)}
        if plural in _VERSIONED:
            own["version"] = _version(sent.get("version") or 0, stored)
        self._fill_inner_list(plural, own, stamp)
        return own

    def _signature(self, plural: str, before: Members, stamp: str) -> Members:
        """Return who made and changed the object, and when: never the payload's word."""
        signature: Members = {"lastUpdated": stamp}
        if plural not in _WITHOUT_AUTHOR:
            signature["lastUpdatedBy"] = user_reference(self.author)
        if CLASSES[plural].shared or plural == "users":
            signature["createdBy"] = before.get("createdBy", user_reference(self.author))
        return signature

    def _fill_inner_list(self, plural: str, item: Members, stamp: str) -> None:
        if plural not in INNER_LISTS:
            return
        member, back = INNER_LISTS[plural]
        minor = self.schema.minor
        item[member] = [
            {"id": uid_derived_from(f"{item['id']}/{member}/{position}"), "created": stamp}
            | {"translations": [], "favorites": [], "sharing": no_sharing(minor)}
            | {"attributeValues": [], "favorite": False}
            | self.schema.filled(member)
            | self.schema.known(member, inner)
            | {"lastUpdated": stamp, "access": _access(minor), back: {"id": item["id"]}}
            for position, inner in enumerate(item.get(member) or [])
        ]


def user_reference(user: Members) -> Members:
    """Return how objects name the user who made or changed them."""
    members = ("id", "code", "name", "displayName", "username")
    return {member: user[member] for member in members if user.get(member) is not None}


def no_sharing(minor: int) -> Members:
    """Return the sharing of an object that is shared with nobody."""
    nobody: Members = {"users": {}, "userGroups": {}}
    return ({"external": False} if minor <= _EXTERNAL_UNTIL else {}) | nobody


def sharing_given(sent: Mapping[str, Any], author: str, minor: int) -> Members:
    """Return a sharing as it is stored; without an owner it is the author's (recordings: 022)."""
    nobody = no_sharing(minor)
    known = {name: value for name, value in sent.items() if name in {*nobody, "owner", "public"}}
    return {"owner": author} | nobody | {n: v for n, v in known.items() if v is not None}


def shown(item: Members, base_url: str, plural: str, minor: int) -> Members:
    """Return the object with what the server computes when it shows it."""
    return item | {
        "href": f"{base_url}/api/{plural}/{item['id']}",
        "access": _access(minor),
        "favorite": False,
    }


def _access(minor: int) -> Members:
    names = [name for name in _ACCESS if name != "externalize" or minor <= _EXTERNAL_UNTIL]
    return dict.fromkeys(names, True)


def _names(plural: str, item: Members) -> Members:
    name = item.get("name")
    if plural == "users":
        name = f"{item.get('firstName', '')} {item.get('surname', '')}"
    return {} if name is None else {"name": name, "displayName": name}


def _version(sent: int, stored: Members | None) -> int:
    """Count an update that does not know better (metadata 2.10)."""
    if stored is None:
        return sent
    before = int(stored.get("version") or 0)
    return sent + 1 if sent == before else max(sent, before)
