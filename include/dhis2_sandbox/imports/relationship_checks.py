"""Why would a relationship be refused?"""

from collections.abc import Iterator

from dhis2_sandbox.access.rights import DATA_WRITE
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import UID_MEMBER, Kind, end_of
from dhis2_sandbox.imports.situation import Check, Situation, finding
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.RELATIONSHIP
_CONSTRAINT_NAMES = {
    "TRACKED_ENTITY_INSTANCE": Kind.ENTITY,
    "PROGRAM_INSTANCE": Kind.ENROLLMENT,
    "PROGRAM_STAGE_INSTANCE": Kind.EVENT,
}


def _existence(situation: Situation, item: Members) -> Iterator[Finding]:
    uid = item["relationship"]
    row = situation.stored.row(_KIND, uid)
    if row is not None and row["deleted"]:
        yield finding(_KIND, item, "E4017", uid)
    elif row is not None and situation.strategy != "DELETE":
        yield finding(_KIND, item, "E4015", uid)
    elif row is None and situation.strategy in {"UPDATE", "DELETE"}:
        yield finding(_KIND, item, "E4016", uid)


def _required(situation: Situation, item: Members) -> Iterator[Finding]:
    del situation
    for member in ("relationshipType", "from", "to"):
        if not item.get(member):
            yield finding(_KIND, item, "E1124", member)


def _type(situation: Situation, item: Members) -> Iterator[Finding]:
    if situation.model.metadata.get("relationshipTypes", item["relationshipType"]) is None:
        yield finding(_KIND, item, "E4006", item["relationshipType"])


def _shape(situation: Situation, item: Members) -> Iterator[Finding]:
    del situation
    for side in ("from", "to"):
        if end_of(item, side) is None:
            yield finding(_KIND, item, "E4001", side, item["relationship"])
    if end_of(item, "from") is not None and end_of(item, "from") == end_of(item, "to"):
        yield finding(_KIND, item, "E4000", item["relationship"])


def _ends(situation: Situation, item: Members) -> Iterator[Finding]:
    known = situation.model.metadata.get("relationshipTypes", item["relationshipType"]) or {}
    for side in ("from", "to"):
        end = end_of(item, side)
        if end is None:
            continue
        kind, uid = end
        constraint = known.get(f"{side}Constraint") or {}
        wanted = _CONSTRAINT_NAMES.get(constraint.get("relationshipEntity", ""), kind)
        if wanted is not kind:
            yield finding(_KIND, item, "E4010", side, wanted, kind)
        elif uid not in situation.sent[kind] and situation.stored.live(kind, uid) is None:
            yield finding(_KIND, item, "E4012", UID_MEMBER[kind], uid)
        elif kind is Kind.ENTITY:
            yield from _entity_type(situation, item, constraint, uid)


def _entity_type(
    situation: Situation, item: Members, constraint: Members, uid: str
) -> Iterator[Finding]:
    wanted = (constraint.get("trackedEntityType") or {}).get("id")
    found = situation.entity_type_of(uid)
    if wanted not in {None, found}:
        yield finding(_KIND, item, "E4014", item["relationshipType"], wanted, found)


def _access(situation: Situation, item: Members) -> Iterator[Finding]:
    known = situation.model.metadata.get("relationshipTypes", item["relationshipType"])
    if not situation.rights.may(DATA_WRITE, known):
        yield finding(_KIND, item, "E4020", situation.rights.uid, item["relationshipType"])


def _duplicate(situation: Situation, item: Members) -> Iterator[Finding]:
    """Refuse a second link of the same ends; the direction matters unless it has none."""
    start, end = end_of(item, "from"), end_of(item, "to")
    if start is None or end is None:
        return
    kind = item["relationshipType"]
    known = situation.model.metadata.get("relationshipTypes", kind) or {}
    linked = {*situation.stored.links.get((kind, start[1], end[1]), ())}
    if known.get("bidirectional"):
        linked |= {*situation.stored.links.get((kind, end[1], start[1]), ())}
    if linked - {item["relationship"]}:
        yield finding(_KIND, item, "E4018", item["relationship"], *start, *end)


#: Groups of checks: after a group that refused the object, the next ones are not asked.
CHANGE: tuple[tuple[Check, ...], ...] = (
    (_existence,),
    (_required,),
    (_type,),
    (_shape,),
    (_ends,),
    (_access,),
    (_duplicate,),
)
DELETION: tuple[tuple[Check, ...], ...] = ((_existence,),)
