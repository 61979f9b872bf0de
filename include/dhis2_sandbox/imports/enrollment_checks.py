"""Why would an enrollment be refused?"""

from collections.abc import Iterator

from dhis2_sandbox.imports.access_checks import check_program_access
from dhis2_sandbox.imports.enrollment_content_checks import (
    check_attributes,
    check_dates,
    check_other_enrollments,
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
    (_notes, check_dates, _geometry, check_attributes, check_other_enrollments),
)
DELETION: tuple[tuple[Check, ...], ...] = ((_existence,), (_deletion,))
