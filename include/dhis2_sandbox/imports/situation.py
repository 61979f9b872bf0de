"""By what is a tracker object judged?"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import UID_MEMBER, Kind
from dhis2_sandbox.imports.payload import Bundle
from dhis2_sandbox.imports.stored import Stored
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


@dataclass(frozen=True, slots=True)
class Situation:
    """One request: what it carries, what is stored, who asks, and by which rules."""

    bundle: Bundle
    stored: Stored
    model: Model
    rights: Rights
    clock: Clock
    dialect: Dialect
    strategy: str
    sent: Mapping[Kind, Mapping[str, Members]]
    entities_by_value: Mapping[tuple[str, str], frozenset[str]]
    enrollments_by_entity: Mapping[str, Sequence[Members]]
    events_by_enrollment: Mapping[str, Sequence[Members]]

    def is_update(self, kind: Kind, item: Members) -> bool:
        """Tell whether the object is to change one that exists."""
        return self.strategy != "CREATE" and self.before(kind, item) is not None

    def before(self, kind: Kind, item: Members) -> sqlite3.Row | None:
        """Return the object as it is stored, unless it is deleted."""
        return self.stored.live(kind, item[UID_MEMBER[kind]])

    def entity_type_of(self, entity: str | None) -> str | None:
        """Return the type of a person who is sent or stored."""
        sent = self.sent[Kind.ENTITY].get(entity or "")
        row = self.stored.row(Kind.ENTITY, entity)
        if sent is not None and sent.get("trackedEntityType"):
            return str(sent["trackedEntityType"])
        return None if row is None else str(row["type"])

    def program_and_entity(self, enrollment: str | None) -> tuple[str | None, str | None]:
        """Return the program and the person of an enrollment that is sent or stored."""
        row = self.stored.row(Kind.ENROLLMENT, enrollment)
        if row is not None:
            return row["program"], row["entity"]
        sent = self.sent[Kind.ENROLLMENT].get(enrollment or "", {})
        return sent.get("program"), sent.get("trackedEntity")


def file_findings(
    situation: Situation, kind: Kind, item: Members, uid: str, missing: str
) -> Iterator[Finding]:
    """Refuse a file that is not there, or is the value of another object (tracker-api 6).

    For an enrollment every file of its person is another's, whoever sends it again.
    """
    if uid not in situation.stored.files:
        yield finding(kind, item, missing, uid, "not found")
    elif situation.stored.files[uid] not in {None, *_owner_itself(situation, kind, item)}:
        yield finding(kind, item, "E1009", uid)


def _owner_itself(situation: Situation, kind: Kind, item: Members) -> list[str]:
    return [item[UID_MEMBER[kind]]] if situation.is_update(kind, item) else []


Check: TypeAlias = Callable[[Situation, Members], Iterator[Finding]]


def finding(kind: Kind, item: Members, code: str, *arguments: object) -> Finding:
    """Return a finding about the object."""
    return Finding(code, kind, item[UID_MEMBER[kind]], tuple(str(part) for part in arguments))


def grouped(items: Sequence[Members], member: str) -> dict[str, list[Members]]:
    """Return the objects by the parent that a member names."""
    groups: dict[str, list[Members]] = {}
    for item in items:
        groups.setdefault(item.get(member) or "", []).append(item)
    return groups
