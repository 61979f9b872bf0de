"""May this account write data of this program about this person?"""

from collections.abc import Iterator

from dhis2_sandbox.access.rights import DATA_READ, DATA_WRITE, Rights
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, finding
from dhis2_sandbox.metadata.store import Members


_BY_CAPTURE = frozenset({"PROTECTED", "CLOSED"})


def check_program_access(situation: Situation, kind: Kind, item: Members) -> Iterator[Finding]:
    """Check sharing and ownership for an enrollment, or for an event of an enrollment."""
    rights = situation.rights
    if rights.superuser:
        return
    program = situation.model.program(item["program"]) or {}
    entity_type = program.get("trackedEntityType")
    if kind is Kind.ENROLLMENT and not rights.may(DATA_WRITE, program):
        yield finding(kind, item, "E1091", rights.uid, item["program"])
    if kind is Kind.EVENT and entity_type and not rights.may(DATA_READ, program):
        yield finding(kind, item, "E1096", rights.uid, item["program"])
    if entity_type and not rights.may(DATA_READ, situation.model.entity_type(entity_type["id"])):
        yield finding(kind, item, "E1104", rights.uid, item["program"], entity_type["id"])
    entity = item.get("trackedEntity")
    if entity_type and entity and not _is_owner_open(situation, program, entity):
        yield finding(kind, item, "E1102", rights.uid, entity, item["program"])


def is_open_to(rights: Rights, program: Members, owner_path: str) -> bool:
    """Tell whether a person owned there is open to the account in the program.

    OPEN and AUDITED programs ask for the search scope, PROTECTED and CLOSED ones for the capture
    scope (tracker-api 1.5).
    """
    if program.get("accessLevel") in _BY_CAPTURE:
        return rights.captures(owner_path)
    return rights.searches(owner_path)


def _is_owner_open(situation: Situation, program: Members, entity: str) -> bool:
    owner = situation.stored.owners.get((entity, program["id"]))
    if owner is None:
        row = situation.stored.row(Kind.ENTITY, entity)
        sent = situation.sent[Kind.ENTITY].get(entity, {})
        owner = sent.get("orgUnit") if row is None else row["org_unit"]
    return is_open_to(situation.rights, program, situation.model.path(owner) or "")
