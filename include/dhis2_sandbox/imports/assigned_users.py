"""Who is to do an event?"""

from collections.abc import Iterator

from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, finding
from dhis2_sandbox.metadata.store import Members


def check_assigned_user(situation: Situation, item: Members) -> Iterator[Finding]:
    """Warn where the stage takes no user, and refuse a user who is not there."""
    user = item.get("assignedUser")
    if not user or not (user.get("uid") or user.get("username")):
        return
    if not _takes_users(situation, item):
        yield finding(Kind.EVENT, item, "E1120", item["programStage"])
    elif assigned_user(situation, item) is None:
        named = f"User(uid={user.get('uid') or 'null'}, username={user.get('username') or 'null'})"
        yield finding(Kind.EVENT, item, "E1118", named)


def assigned_user(situation: Situation, item: Members) -> str | None:
    """Return the UID of the user whom the event names (recordings: 353, 355)."""
    user = item.get("assignedUser") or {}
    uid = situation.model.usernames.get(user.get("username") or "", user.get("uid"))
    known = situation.model.metadata.get("users", uid)
    return known["id"] if known is not None and _takes_users(situation, item) else None


def _takes_users(situation: Situation, item: Members) -> bool:
    stage = situation.model.stage(item["programStage"]) or {}
    return bool(stage.get("enableUserAssignment"))
