"""Why would a tracked entity be refused?"""

from collections.abc import Iterator

from dhis2_sandbox.access.rights import DATA_WRITE
from dhis2_sandbox.imports.attribute_checks import (
    check_mandatory_nulls,
    check_values,
    known_attributes,
)
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Check, Situation, finding
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.ENTITY


def _existence(situation: Situation, item: Members) -> Iterator[Finding]:
    uid = item["trackedEntity"]
    row = situation.stored.row(_KIND, uid)
    if row is not None and row["deleted"]:
        yield finding(_KIND, item, "E1114", uid)
    elif row is not None and situation.strategy == "CREATE":
        yield finding(_KIND, item, "E1002", uid)
    elif row is None and situation.strategy in {"UPDATE", "DELETE"}:
        yield finding(_KIND, item, "E1063", uid)


def _required(situation: Situation, item: Members) -> Iterator[Finding]:
    del situation
    for member in ("trackedEntityType", "orgUnit"):
        if not item.get(member):
            yield finding(_KIND, item, "E1121", member)


def _references(situation: Situation, item: Members) -> Iterator[Finding]:
    if situation.model.path(item["orgUnit"]) is None:
        yield finding(_KIND, item, "E1049", item["orgUnit"])
    if situation.model.entity_type(item["trackedEntityType"]) is None:
        yield finding(_KIND, item, "E1005", item["trackedEntityType"])


def _immutable(situation: Situation, item: Members) -> Iterator[Finding]:
    row = situation.before(_KIND, item)
    if row is not None and row["type"] != item["trackedEntityType"]:
        yield finding(_KIND, item, "E1126", "trackedEntityType")


def _access(situation: Situation, item: Members) -> Iterator[Finding]:
    rights, row = situation.rights, situation.before(_KIND, item)
    code = situation.dialect.no_entity_access_code
    if row is None and not rights.captures(situation.model.path(item["orgUnit"]) or ""):
        yield finding(_KIND, item, "E1000", rights.uid, item["orgUnit"])
    if row is not None and not rights.searches(situation.model.path(row["org_unit"]) or ""):
        yield finding(_KIND, item, code, rights.uid, item["trackedEntity"])
    entity_type = situation.model.entity_type(item["trackedEntityType"])
    if not rights.may(DATA_WRITE, entity_type):
        yield finding(_KIND, item, "E1001", rights.uid, item["trackedEntityType"])


def _attributes(situation: Situation, item: Members) -> Iterator[Finding]:
    yield from check_values(situation, _KIND, item)
    attributes = situation.model.type_attributes.get(item["trackedEntityType"], {})
    mandatory = frozenset(uid for uid, needed in attributes.items() if needed)
    yield from check_mandatory_nulls(_KIND, item, mandatory)
    for uid in mandatory - known_attributes(situation, item):
        yield finding(_KIND, item, "E1090", uid, item["trackedEntityType"], item["trackedEntity"])


def _deletion(situation: Situation, item: Members) -> Iterator[Finding]:
    uid, rights = item["trackedEntity"], situation.rights
    row = situation.before(_KIND, item)
    if row is not None and not rights.captures(situation.model.path(row["org_unit"]) or ""):
        yield finding(_KIND, item, "E1000", rights.uid, row["org_unit"])
    enrollments = situation.stored.enrollments_of.get(uid, ())
    active = any(not one["deleted"] and one["status"] == "ACTIVE" for one in enrollments)
    if active and not rights.has("F_TEI_CASCADE_DELETE"):
        yield finding(_KIND, item, "E1100", rights.uid, uid)


#: Groups of checks: after a group that refused the object, the next ones are not asked.
CHANGE: tuple[tuple[Check, ...], ...] = (
    (_existence,),
    (_required,),
    (_references,),
    (_immutable,),
    (_access,),
    (_attributes,),
)
DELETION: tuple[tuple[Check, ...], ...] = ((_existence,), (_deletion,))
