"""When, and by whom, was an enrollment or event completed?"""

from typing import Any

from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.pen import Pen
from dhis2_sandbox.imports.situation import Situation
from dhis2_sandbox.metadata.store import Members


_CLOSED = {
    Kind.ENROLLMENT: frozenset({"COMPLETED", "CANCELLED"}),
    Kind.EVENT: frozenset({"COMPLETED"}),
}


def completion(pen: Pen, situation: Situation, kind: Kind, item: Members) -> dict[str, Any]:
    """Return the stamp of the moment the status was reached; it is never changed later.

    Until 2.41 a client's completedAt is not taken (measured).
    """
    status = item.get("status") or "ACTIVE"
    if status not in _CLOSED[kind]:
        return {"completed_at": None, "completed_by": None}
    before = situation.before(kind, item)
    if before is not None and before["status"] == status:
        return {name: before[name] for name in ("completed_at", "completed_by")}
    sent = item.get("completedAt") if situation.dialect.completed_at_kept else None
    return {
        "completed_at": sent or pen.stamp(),
        "completed_by": pen.author.username if status == "COMPLETED" else None,
    }
