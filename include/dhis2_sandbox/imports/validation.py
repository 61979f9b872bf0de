"""Which objects of a request may be stored?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dhis2_sandbox.identifiers import is_uid
from dhis2_sandbox.imports import (
    enrollment_checks,
    entity_checks,
    event_checks,
    relationship_checks,
)
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import UID_MEMBER, Kind, end_of
from dhis2_sandbox.imports.situation import Check, Situation, finding
from dhis2_sandbox.metadata.store import Members


_CHANGE: Mapping[Kind, Sequence[Sequence[Check]]] = {
    Kind.ENTITY: entity_checks.CHANGE,
    Kind.ENROLLMENT: enrollment_checks.CHANGE,
    Kind.EVENT: event_checks.CHANGE,
    Kind.RELATIONSHIP: relationship_checks.CHANGE,
}
_DELETION: Mapping[Kind, Sequence[Sequence[Check]]] = {
    Kind.ENTITY: entity_checks.DELETION,
    Kind.ENROLLMENT: enrollment_checks.DELETION,
    Kind.EVENT: event_checks.DELETION,
    Kind.RELATIONSHIP: relationship_checks.DELETION,
}
#: The warning of an object that is left as it is, and counted as ignored (recordings: 046).
_LEFT_ALONE = "E4015"
_VERBS = {"DELETE": "deleted", "UPDATE": "updated"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found, and what may be stored."""

    findings: Sequence[Finding]
    accepted: Mapping[Kind, Sequence[Members]]

    @property
    def refusals(self) -> list[Finding]:
        """The findings that keep objects from being stored."""
        return [found for found in self.findings if found.refuses]


def judge(situation: Situation) -> Judgement:
    """Check every object, then leave out the children of refused parents."""
    checks = _DELETION if situation.strategy == "DELETE" else _CHANGE
    findings: list[Finding] = []
    refused: set[tuple[Kind, str]] = set()
    for kind, item in situation.bundle.everything():
        malformed = list(_malformed(kind, item))
        found = malformed or list(_first_refusing_group(situation, item, checks[kind]))
        findings += found
        if any(one.refuses or one.code == _LEFT_ALONE for one in found):
            refused.add((kind, item[UID_MEMBER[kind]]))
    accepted: dict[Kind, list[Members]] = {kind: [] for kind in Kind}
    dropped = set(refused)
    for kind, item in situation.bundle.everything():
        parents = (
            [] if situation.strategy == "DELETE" else _lost_parents(situation, kind, item, dropped)
        )
        key = (kind, item[UID_MEMBER[kind]])
        if not parents and key not in refused:
            accepted[kind].append(item)
        elif key not in refused:
            findings += _orphan_findings(
                situation, kind, item, [p for p in parents if p in refused]
            )
            dropped.add(key)
    return Judgement(findings, accepted)


def _malformed(kind: Kind, item: Members) -> Iterator[Finding]:
    """Refuse a malformed UID, where the body was not refused for it (recordings: 082)."""
    uid = item[UID_MEMBER[kind]]
    if not is_uid(uid):
        yield finding(kind, item, "E1048", uid, uid)


def _first_refusing_group(
    situation: Situation, item: Members, groups: Sequence[Sequence[Check]]
) -> Iterator[Finding]:
    for group in groups:
        found = [one for check in group for one in check(situation, item)]
        yield from found
        if any(one.refuses for one in found):
            return


def _lost_parents(
    situation: Situation, kind: Kind, item: Members, dropped: set[tuple[Kind, str]]
) -> list[tuple[Kind, str]]:
    """Return the parents that are sent but not stored, unless they are in the database already."""
    parents = {
        Kind.ENTITY: (),
        Kind.ENROLLMENT: ((Kind.ENTITY, item.get("trackedEntity")),),
        Kind.EVENT: ((Kind.ENROLLMENT, item.get("enrollment")),),
        Kind.RELATIONSHIP: (end_of(item, "from"), end_of(item, "to")),
    }[kind]
    return [
        parent for parent in parents if parent in dropped and situation.stored.live(*parent) is None
    ]


def _orphan_findings(
    situation: Situation, kind: Kind, item: Members, parents: Sequence[tuple[Kind, str]]
) -> Iterator[Finding]:
    """Name the refused parents. A grandchild's loss goes unsaid, as in recording 083."""
    verb = _VERBS.get(situation.strategy, "created")
    for parent, uid in parents:
        names = UID_MEMBER[kind], item[UID_MEMBER[kind]], UID_MEMBER[parent], uid
        yield finding(kind, item, "E5000", *names, verb)
