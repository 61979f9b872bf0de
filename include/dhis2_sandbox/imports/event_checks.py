"""Why would an event be refused, its data values and dates aside?"""

from collections.abc import Iterator

from dhis2_sandbox.access.rights import DATA_WRITE
from dhis2_sandbox.imports.access_checks import check_program_access
from dhis2_sandbox.imports.assigned_users import check_assigned_user
from dhis2_sandbox.imports.data_value_checks import check_data_values
from dhis2_sandbox.imports.event_date_checks import check_dates
from dhis2_sandbox.imports.event_state_checks import check_repetition, check_status
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.note_and_geometry_checks import check_geometry, check_notes
from dhis2_sandbox.imports.situation import Check, Situation, finding
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.EVENT


def _existence(situation: Situation, item: Members) -> Iterator[Finding]:
    uid = item["event"]
    row = situation.stored.row(_KIND, uid)
    if row is not None and row["deleted"]:
        yield finding(_KIND, item, "E1082", uid)
    elif row is not None and situation.strategy == "CREATE":
        stage = situation.model.stage(item.get("programStage")) or {}
        for code in situation.dialect.existing_event_codes:
            if code == "E1030" or not stage.get("repeatable"):
                yield finding(_KIND, item, code, uid)
    elif row is None and situation.strategy in {"UPDATE", "DELETE"}:
        yield finding(_KIND, item, "E1032", uid)


def _required(situation: Situation, item: Members) -> Iterator[Finding]:
    del situation
    for member in ("orgUnit", "programStage", "program"):
        if not item.get(member):
            yield finding(_KIND, item, "E1123", member)


def _references(situation: Situation, item: Members) -> Iterator[Finding]:
    if situation.model.path(item["orgUnit"]) is None:
        yield finding(_KIND, item, "E1011", item["orgUnit"])
    if situation.model.program(item["program"]) is None:
        yield finding(_KIND, item, "E1010", item["program"])
    if situation.model.stage(item["programStage"]) is None:
        yield finding(_KIND, item, "E1013", item["programStage"])


def _immutable(situation: Situation, item: Members) -> Iterator[Finding]:
    row = situation.before(_KIND, item)
    if row is None:
        return
    if row["stage"] != item["programStage"]:
        yield finding(_KIND, item, "E1128", "programStage")
    if row["enrollment"] is not None and row["enrollment"] != item.get("enrollment"):
        yield finding(_KIND, item, "E1128", "enrollment")


def _relations(situation: Situation, item: Members) -> Iterator[Finding]:
    uid, program = item["event"], item["program"]
    stage = situation.model.stage(item["programStage"]) or {}
    if item["orgUnit"] not in situation.model.program_org_units[program]:
        yield finding(_KIND, item, "E1029", item["orgUnit"], program)
    if stage.get("program", {}).get("id") != program:
        yield finding(_KIND, item, "E1089", uid, item["programStage"], program)
    combo = item.get("attributeOptionCombo") or situation.model.default_option_combo
    if situation.model.metadata.get("categoryOptionCombos", combo) is None:
        yield finding(_KIND, item, "E1115", combo)
    if situation.model.has_registration(program):
        yield from _enrollment(situation, item)


def _enrollment(situation: Situation, item: Members) -> Iterator[Finding]:
    uid, enrollment = item["event"], item.get("enrollment")
    if not enrollment:
        for code in situation.dialect.no_enrollment_codes:
            yield finding(_KIND, item, code, "enrollment" if code == "E1123" else uid)
        return
    program, entity = situation.program_and_entity(enrollment)
    if entity is None:
        yield finding(_KIND, item, "E1313", uid)
    if program != item["program"]:
        yield finding(_KIND, item, "E1079", uid, item["program"], enrollment)


def _access(situation: Situation, item: Members) -> Iterator[Finding]:
    rights, row = situation.rights, situation.before(_KIND, item)
    if row is None and not rights.captures(situation.model.path(item["orgUnit"]) or ""):
        yield finding(_KIND, item, "E1000", rights.uid, item["orgUnit"])
    completed = row is not None and row["status"] == "COMPLETED"
    if completed and item.get("status") != "COMPLETED" and not rights.has("F_UNCOMPLETE_EVENT"):
        yield finding(_KIND, item, "E1083", rights.uid)
    if not rights.may(DATA_WRITE, situation.model.stage(item["programStage"])):
        yield finding(_KIND, item, "E1095", rights.uid, item["programStage"])
    _, entity = situation.program_and_entity(item.get("enrollment"))
    yield from check_program_access(situation, _KIND, item | {"trackedEntity": entity})


def _geometry(situation: Situation, item: Members) -> Iterator[Finding]:
    stage = situation.model.stage(item["programStage"]) or {}
    yield from check_geometry(_KIND, item, stage.get("featureType"))


def _notes(situation: Situation, item: Members) -> Iterator[Finding]:
    yield from check_notes(situation, _KIND, item)


def _deletion(situation: Situation, item: Members) -> Iterator[Finding]:
    row, rights = situation.before(_KIND, item), situation.rights
    if row is None:
        return
    if not rights.captures(situation.model.path(row["org_unit"]) or ""):
        yield finding(_KIND, item, "E1000", rights.uid, row["org_unit"])
    if not rights.may(DATA_WRITE, situation.model.stage(row["stage"])):
        yield finding(_KIND, item, "E1095", rights.uid, row["stage"])


#: Groups of checks: after a group that refused the object, the next ones are not asked.
CHANGE: tuple[tuple[Check, ...], ...] = (
    (_existence,),
    (_required,),
    (_references,),
    (_immutable,),
    (_relations,),
    (_access,),
    (
        *(_notes, check_dates, _geometry, check_data_values),
        *(check_status, check_assigned_user, check_repetition),
    ),
)
DELETION: tuple[tuple[Check, ...], ...] = ((_existence,), (_deletion,))
