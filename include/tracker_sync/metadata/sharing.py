"""The sharing: who may see and change an object that is new at the destination?"""

from __future__ import annotations

from dhis2_api.metadata import Fields


#: Classes whose sharing says who may read and write data; elsewhere those letters are refused
#: (metadata 2.4: E3011).
DATA_SHARED = frozenset(
    {"categoryOptions", "programStages", "programs", "relationshipTypes", "trackedEntityTypes"}
)

#: A group gives rights to who is in it, so nobody but an administrator changes a new one.
_OF_GROUPS = "r-------"

_NO_DATA = "----"


def shared(plural: str, fields: Fields, ours: Fields, policy: str) -> Fields:
    """Return a new object with the sharing that a route's `metadata_sharing` gives it.

    Users are never brought over; without a sharing of its own a server makes one that lets
    nobody write data (metadata 2.4).

    Args:
        plural: Its class.
        fields: The object as it is to be sent.
        ours: The object as the source has it.
        policy: `public`, `groups` or a text such as `rwrw----`.
    """
    if plural == "userGroups":
        return fields | {"sharing": _sharing(_OF_GROUPS, {})}
    given = ours.get("sharing")
    if not given:
        return fields  # a class without sharing
    if policy not in ("public", "groups"):
        return fields | {"sharing": _sharing(_fitting(plural, policy), {})}
    public = str(given.get("public") or "--------")
    groups = (given.get("userGroups") or {}) if policy == "groups" else {}
    return fields | {"sharing": _sharing(public, groups)}


def _fitting(plural: str, text: str) -> str:
    return text if plural in DATA_SHARED else f"{text[:2]}{_NO_DATA}{text[6:]}"[:8]


def _sharing(public: str, groups: Fields) -> Fields:
    named = {
        uid: {"id": uid, "access": group["access"]}
        for uid, group in groups.items()
        if group.get("access")
    }
    return {"public": public, "users": {}, "userGroups": named}
