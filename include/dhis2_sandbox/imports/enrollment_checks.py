"""Why would an enrollment be refused?"""

from collections.abc import Iterator

from dhis2_sandbox.imports.access_checks import check_program_access
from dhis2_sandbox.imports.attribute_checks import (
    check_mandatory_nulls,
    check_values,
    known_attributes,
)
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.note_and_geometry_checks import check_geometry, check_notes
from dhis2_sandbox.imports.situation import Check, Situation, finding
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.ENROLLMENT


def _existence(situation: Situation, item: Members) -> Iterator[Finding]:
    uid = item["enrollment"]
    row = situation.stored.row(_KIND, uid)
    if row is not None and row["deleted"]:
        yield finding(_KIND, item, "E1113", uid)
    elif row is not None and situation.strategy == "CREATE":
        yield finding(_KIND, item, "E1080", uid)
    elif row is None and situation.strategy in {"UPDATE", "DELETE"}:
        yield finding(_KIND, item, "E1081", uid)


def _required(situation: Situation, item: Members) -> Iterator[Finding]:
    del situation
    for member in ("orgUnit", "program", "trackedEntity"):
        if not item.get(member):
            yield finding(_KIND, item, "E1122", member)


def _references(situation: Situation, item: Members) -> Iterator[Finding]:
    if situation.model.path(item["orgUnit"]) is None:
        yield finding(_KIND, item, "E1070", item["orgUnit"])
    if situation.model.program(item["program"]) is None:
        yield finding(_KIND, item, "E1069", item["program"])
    if situation.entity_type_of(item["trackedEntity"]) is None:
        yield finding(_KIND, item, "E1068", item["trackedEntity"])


def _immutable(situation: Situation, item: Members) -> Iterator[Finding]:
    row = situation.before(_KIND, item)
    if row is not None and row["program"] != item["program"]:
        yield finding(_KIND, item, "E1127", "program")
    if row is not None and row["entity"] != item["trackedEntity"]:
        yield finding(_KIND, item, "E1127", "trackedEntity")


def _relations(situation: Situation, item: Members) -> Iterator[Finding]:
    program = situation.model.program(item["program"]) or {}
    if not situation.model.has_registration(item["program"]):
        yield finding(_KIND, item, "E1014", item["program"])
    if item["orgUnit"] not in situation.model.program_org_units[item["program"]]:
        yield finding(_KIND, item, "E1041", item["orgUnit"], item["program"])
    wanted = (program.get("trackedEntityType") or {}).get("id")
    if wanted not in {None, situation.entity_type_of(item["trackedEntity"])}:
        yield finding(_KIND, item, "E1022", item["trackedEntity"], item["program"])


def _access(situation: Situation, item: Members) -> Iterator[Finding]:
    rights = situation.rights
    is_new = situation.before(_KIND, item) is None
    if is_new and not rights.captures(situation.model.path(item["orgUnit"]) or ""):
        yield finding(_KIND, item, "E1000", rights.uid, item["orgUnit"])
    yield from check_program_access(situation, _KIND, item)


def _dates(situation: Situation, item: Members) -> Iterator[Finding]:
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
    if (
        item.get("completedAt")
        and status == "ACTIVE"
        and situation.dialect.stray_completed_at_refused
    ):
        yield finding(_KIND, item, "E1052", item["enrollment"], status)


def _attributes(situation: Situation, item: Members) -> Iterator[Finding]:
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


def _others(situation: Situation, item: Members) -> Iterator[Finding]:
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


def _geometry(situation: Situation, item: Members) -> Iterator[Finding]:
    program = situation.model.program(item["program"]) or {}
    yield from check_geometry(_KIND, item, program.get("featureType"))


def _notes(situation: Situation, item: Members) -> Iterator[Finding]:
    yield from check_notes(situation, _KIND, item)


def _deletion(situation: Situation, item: Members) -> Iterator[Finding]:
    uid, rights = item["enrollment"], situation.rights
    row = situation.before(_KIND, item)
    if row is not None and not rights.captures(situation.model.path(row["org_unit"]) or ""):
        yield finding(_KIND, item, "E1000", rights.uid, row["org_unit"])
    events = situation.stored.events_of.get(uid, ())
    if any(not event["deleted"] for event in events) and not rights.has(
        "F_ENROLLMENT_CASCADE_DELETE"
    ):
        yield finding(_KIND, item, "E1103", rights.uid, uid)


#: Groups of checks: after a group that refused the object, the next ones are not asked.
CHANGE: tuple[tuple[Check, ...], ...] = (
    (_existence,),
    (_required,),
    (_references,),
    (_immutable,),
    (_relations,),
    (_access,),
    (_notes, _dates, _geometry, _attributes, _others),
)
DELETION: tuple[tuple[Check, ...], ...] = ((_existence,), (_deletion,))
