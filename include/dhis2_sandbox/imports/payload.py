"""Which objects does a tracker payload carry?

Nested, flat or a mixture: everything becomes four flat lists, in the payload's order. What makes
a body unreadable for the server refuses the request as a whole, here (recordings: 082, 090, 091).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from dhis2_sandbox.clock import Clock
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.identifiers import is_uid, new_uid
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


class Kind(StrEnum):
    """The four kinds of tracker objects, as import reports name them."""

    ENTITY = "TRACKED_ENTITY"
    ENROLLMENT = "ENROLLMENT"
    EVENT = "EVENT"
    RELATIONSHIP = "RELATIONSHIP"


#: The member that carries an object's own UID.
UID_MEMBER: Mapping[Kind, str] = {
    Kind.ENTITY: "trackedEntity",
    Kind.ENROLLMENT: "enrollment",
    Kind.EVENT: "event",
    Kind.RELATIONSHIP: "relationship",
}
_STATUSES: Mapping[Kind, tuple[str, ...]] = {
    Kind.ENROLLMENT: ("ACTIVE", "COMPLETED", "CANCELLED"),
    Kind.EVENT: ("SKIPPED", "ACTIVE", "SCHEDULE", "VISITED", "COMPLETED", "OVERDUE"),
}
_DATES = (
    *("enrolledAt", "occurredAt", "scheduledAt", "completedAt"),
    *("createdAtClient", "updatedAtClient"),
)
_UIDS = ("trackedEntity", "enrollment", "event", "relationship")
_CHILD_LISTS = frozenset({"enrollments", "events", "relationships"})


class SentNumber(float):
    """A JSON number that is stored as the text that was sent."""

    text: str

    def __new__(cls, text: str) -> "SentNumber":
        """Keep the text beside the number."""
        number = super().__new__(cls, text)
        number.text = text
        return number


@dataclass(frozen=True, slots=True)
class Bundle:
    """The objects of one request."""

    entities: Sequence[Members]
    enrollments: Sequence[Members]
    events: Sequence[Members]
    relationships: Sequence[Members]

    def of(self, kind: Kind) -> Sequence[Members]:
        """Return the objects of one kind."""
        lists = (self.entities, self.enrollments, self.events, self.relationships)
        return lists[list(Kind).index(kind)]

    def everything(self) -> Iterator[tuple[Kind, Members]]:
        """Yield every object, parents first."""
        for kind in Kind:
            for item in self.of(kind):
                yield kind, item


def read_bundle(text: bytes, model: Model, clock: Clock) -> Bundle:
    """Read a request body.

    Raises:
        Refused: 400, as DHIS2 refuses a body that it cannot bind.
    """
    try:
        body = json.loads(text, parse_float=SentNumber)
    except ValueError as error:
        raise Refused(400, f"JSON parse error: {error}") from error
    if not isinstance(body, dict):
        _unreadable("Cannot deserialize value of type `Body`")
    flat: dict[Kind, list[Members]] = {kind: [] for kind in Kind}
    _flatten(flat, body)
    for kind, items in flat.items():
        for item in items:
            _bind(kind, item, clock)
    for event in flat[Kind.EVENT]:
        _complete_program(event, model)
    relationships = list(_without_duplicates(flat[Kind.RELATIONSHIP], model))
    return Bundle(flat[Kind.ENTITY], flat[Kind.ENROLLMENT], flat[Kind.EVENT], relationships)


def text_of(value: Any) -> str | None:
    """Return a sent value as the text that is stored; null and "" are no value (measured)."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return value.text if isinstance(value, SentNumber) else str(value)


def uid_of(kind: Kind, item: Members) -> str:
    """Return the object's own UID."""
    return str(item[UID_MEMBER[kind]])


def end_of(item: Members, side: str) -> tuple[Kind, str] | None:
    """Return which object an end of a relationship names, if it names exactly one."""
    end = item.get(side)
    if not isinstance(end, dict):
        return None
    found = []
    for kind in (Kind.ENTITY, Kind.ENROLLMENT, Kind.EVENT):
        named = end.get(UID_MEMBER[kind])
        uid = named.get(UID_MEMBER[kind]) if isinstance(named, dict) else named
        if uid:
            found.append((kind, str(uid)))
    return found[0] if len(found) == 1 else None


def _flatten(
    flat: Mapping[Kind, list[Members]], holder: Members, parent: Members | None = None
) -> None:
    """Lift every list of the holder; children name the parent that they were nested in."""
    lists = zip(Kind, ("trackedEntities", "enrollments", "events", "relationships"), strict=True)
    for kind, member in lists:
        for sent in holder.get(member) or []:
            item = {name: value for name, value in sent.items() if name not in _CHILD_LISTS}
            item[UID_MEMBER[kind]] = item.get(UID_MEMBER[kind]) or new_uid()
            if kind is not Kind.RELATIONSHIP:
                item |= parent or {}
                names = {
                    UID_MEMBER[k]: item.get(UID_MEMBER[k]) for k in (Kind.ENTITY, Kind.ENROLLMENT)
                }
                below = {name: uid for name, uid in names.items() if uid}
                _flatten(flat, {name: sent.get(name) for name in _CHILD_LISTS}, below)
            flat[kind].append(item)


def _bind(kind: Kind, item: Members, clock: Clock) -> None:
    for member in _UIDS:
        if isinstance(item.get(member), str) and not is_uid(item[member]):
            _refuse_uid(item[member])
    for note in item.get("notes") or []:
        if note.get("note") and not is_uid(note["note"]):
            _refuse_uid(note["note"])
    status = item.get("status")
    if status is not None and kind in _STATUSES and status not in _STATUSES[kind]:
        choices = ", ".join(_STATUSES[kind])
        _unreadable(f'Cannot deserialize status from "{status}": not one of [{choices}]')
    for member in _DATES:
        item[member] = _bound_date(item.get(member), clock)


def _bound_date(value: Any, clock: Clock) -> str | None:
    if value in {None, ""}:
        return None
    try:
        return clock.local(value)
    except (ValueError, TypeError):
        _unreadable("Cannot deserialize a date from the text sent")


def _refuse_uid(uid: str) -> NoReturn:
    _unreadable(
        "Cannot construct instance of `org.hisp.dhis.common.UID`, problem: UID must be an "
        f"alphanumeric string of 11 characters starting with a letter, but was: {uid}"
    )


def _unreadable(problem: str) -> NoReturn:
    raise Refused(400, f"JSON parse error: {problem}")


def _complete_program(event: Members, model: Model) -> None:
    """Fill in the program of a known stage, and the only stage of a program without people."""
    stage = model.stage(event.get("programStage"))
    program = model.program(event.get("program"))
    if stage is not None and not event.get("program"):
        event["program"] = stage["program"]["id"]
    elif program is not None and not event.get("programStage"):
        stages = program.get("programStages", [])
        if stages and not model.has_registration(program["id"]):
            event["programStage"] = stages[0]["id"]


def _without_duplicates(relationships: Iterable[Members], model: Model) -> Iterator[Members]:
    """Drop what links the same ends again, silently, as DHIS2 does (tracker-api 3.2)."""
    seen: set[tuple[Any, ...]] = set()
    for item in relationships:
        kind = model.metadata.get("relationshipTypes", item.get("relationshipType")) or {}
        ends = (end_of(item, "from"), end_of(item, "to"))
        keys = [(item.get("relationshipType"), *ends)]
        if kind.get("bidirectional"):
            keys.append((item.get("relationshipType"), *reversed(ends)))
        if None in ends or not seen.intersection(keys):
            yield item
        seen.update(keys)
