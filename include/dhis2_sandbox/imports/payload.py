"""Which objects does a tracker payload carry?

Nested, flat or a mixture: everything becomes four flat lists, in the payload's order. What makes
a body unreadable for the server refuses the request as a whole, here (recordings: 082, 090, 091).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.clock import Clock
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.http.answers import Unreadable
from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.imports.binding import SentNumber, bind, unreadable
from dhis2_sandbox.imports.kinds import LIST_MEMBER, UID_MEMBER, Kind, end_of
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


_CHILD_LISTS = frozenset({"enrollments", "events", "relationships"})
_PARENT_MEMBERS = ("trackedEntity", "enrollment")


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


def read_bundle(text: bytes, model: Model, clock: Clock, dialect: Dialect) -> Bundle:
    """Read a request body.

    Raises:
        Unreadable: as DHIS2 refuses a body that it cannot bind.
    """
    try:
        body = json.loads(text, parse_float=SentNumber)
    except ValueError as error:
        raise Unreadable(400, f"JSON parse error: {error}") from error
    if not isinstance(body, dict):
        unreadable("Cannot deserialize value of type `Body`")
    flat: dict[Kind, list[Members]] = {kind: [] for kind in Kind}
    _flatten(flat, body)
    for kind, items in flat.items():
        for item in items:
            bind(kind, item, clock, dialect)
    for event in flat[Kind.EVENT]:
        _complete_program(event, model)
    relationships = list(_without_duplicates(flat[Kind.RELATIONSHIP], model))
    return Bundle(flat[Kind.ENTITY], flat[Kind.ENROLLMENT], flat[Kind.EVENT], relationships)


def _flatten(
    flat: Mapping[Kind, list[Members]], holder: Members, parent: Members | None = None
) -> None:
    """Lift every list of the holder; children name the parent that they were nested in."""
    for kind, member in LIST_MEMBER.items():
        sent_here = holder.get(member) or []
        if not isinstance(sent_here, list):
            unreadable(f"Cannot deserialize a list from the value of `{member}`")
        for sent in sent_here:
            if not isinstance(sent, dict):
                unreadable(f"Cannot construct an object of `{member}` from the value sent")
            item = {name: value for name, value in sent.items() if name not in _CHILD_LISTS}
            item[UID_MEMBER[kind]] = item.get(UID_MEMBER[kind]) or new_uid()
            if kind is not Kind.RELATIONSHIP:
                item |= parent or {}
                below = {name: item[name] for name in _PARENT_MEMBERS if item.get(name)}
                _flatten(flat, {name: sent.get(name) for name in _CHILD_LISTS}, below)
            flat[kind].append(item)


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
        keys: list[tuple[Any, ...]] = [(item.get("relationshipType"), *ends)]
        if kind.get("bidirectional"):
            keys.append((item.get("relationshipType"), *reversed(ends)))
        if None in ends or not seen.intersection(keys):
            yield item
        seen.update(keys)
