"""Does an event's status fit, and may there be another one?"""

from collections.abc import Iterator

from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, finding
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.EVENT
_DONE = frozenset({"ACTIVE", "VISITED", "COMPLETED"})


def check_status(situation: Situation, item: Members) -> Iterator[Finding]:
    """Refuse values on what has not happened, and the way back to planning."""
    row = situation.before(_KIND, item)
    status = item.get("status") or "ACTIVE"
    if status not in _DONE and item.get("dataValues"):
        yield finding(_KIND, item, "E1315", status)
    if row is not None and row["status"] in _DONE and status not in _DONE:
        yield finding(_KIND, item, "E1316", row["status"], status)
    stage = situation.model.stage(item["programStage"]) or {}
    blocked = situation.dialect.blocked_when_completed and stage.get("blockEntryForm")
    if blocked and row is not None and row["status"] == status == "COMPLETED":
        yield finding(_KIND, item, "E1326", item["event"])


def check_repetition(situation: Situation, item: Members) -> Iterator[Finding]:
    """Refuse a second event of a stage that happens once, stored or in the same request."""
    stage = situation.model.stage(item["programStage"]) or {}
    enrollment = item.get("enrollment")
    if stage.get("repeatable") or not enrollment or situation.before(_KIND, item) is not None:
        return
    stored = {
        row["uid"]
        for row in situation.stored.events_of.get(enrollment, ())
        if row["stage"] == stage["id"] and not row["deleted"] and row["status"] != "SKIPPED"
    }
    sent = {
        other["event"]
        for other in situation.events_by_enrollment.get(enrollment, ())
        if other.get("programStage") == stage["id"] and other.get("status") != "SKIPPED"
    }
    if (stored | sent) - {item["event"]}:
        yield finding(_KIND, item, "E1039", stage["id"])
