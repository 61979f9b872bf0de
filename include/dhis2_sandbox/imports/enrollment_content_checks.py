"""Is what an enrollment carries allowed: dates, attributes, and its being one of several?"""

from collections.abc import Iterator

from dhis2_sandbox.imports.attribute_checks import (
    check_mandatory_nulls,
    check_values,
    known_attributes,
)
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, finding
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.ENROLLMENT


def check_dates(situation: Situation, item: Members) -> Iterator[Finding]:
    """Check presence, the future, and a completedAt that the status does not allow."""
    program = situation.model.program(item["program"]) or {}
    now = situation.clock.stamp()
    enrolled, occurred = item.get("enrolledAt"), item.get("occurredAt")
    if enrolled is None:
        yield finding(_KIND, item, "E1025")
    elif enrolled > now and not program.get("selectEnrollmentDatesInFuture"):
        yield finding(_KIND, item, "E1020", enrolled)
    if program.get("displayIncidentDate") and occurred is None:
        yield finding(_KIND, item, "E1023")
    elif occurred and occurred > now and not program.get("selectIncidentDatesInFuture"):
        yield finding(_KIND, item, "E1021", occurred)
    status = item.get("status") or "ACTIVE"
    if item.get("completedAt") and status == "ACTIVE" and situation.dialect.completed_at_kept:
        yield finding(_KIND, item, "E1052", item["enrollment"], status)


def check_attributes(situation: Situation, item: Members) -> Iterator[Finding]:
    """Check the program's attributes: sent, stored, or missing."""
    program = item["program"]
    attributes = situation.model.program_attributes.get(program, {})
    yield from check_values(situation, _KIND, item)
    for sent in item.get("attributes") or []:
        uid = sent.get("attribute")
        if uid not in attributes and situation.model.attribute(uid) is not None:
            yield finding(_KIND, item, "E1019", f"{uid}={sent.get('value')}")
    mandatory = frozenset(uid for uid, needed in attributes.items() if needed)
    yield from check_mandatory_nulls(_KIND, item, mandatory)
    entity = situation.sent[Kind.ENTITY].get(item["trackedEntity"], {})
    for uid in mandatory - known_attributes(situation, item, entity):
        yield finding(_KIND, item, "E1018", uid, program, item["enrollment"])


def check_other_enrollments(situation: Situation, item: Members) -> Iterator[Finding]:
    """Compare with the person's other enrollments in the program, sent and stored."""
    status = item.get("status") or "ACTIVE"
    if status == "CANCELLED":
        return
    entity, program = item["trackedEntity"], item["program"]
    sent = situation.enrollments_by_entity.get(entity, ())
    statuses = {
        row["uid"]: row["status"]
        for row in situation.stored.enrollments_of.get(entity, ())
        if row["program"] == program and not row["deleted"]
    }
    statuses |= {
        one["enrollment"]: one.get("status") or "ACTIVE"
        for one in sent
        if one.get("program") == program
    }
    statuses.pop(item["enrollment"], None)
    if status == "ACTIVE" and "ACTIVE" in statuses.values():
        yield finding(_KIND, item, "E1015", entity, program)
    once = (situation.model.program(program) or {}).get("onlyEnrollOnce")
    if once and {"ACTIVE", "COMPLETED"} & set(statuses.values()):
        yield finding(_KIND, item, "E1016", entity, program)
