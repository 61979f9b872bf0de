"""The relationship: a link between two objects, as a value that two servers are compared by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Any

import pyarrow as pa

from dhis2_api.importer import Ref


Payload = dict[str, Any]

KIND = "RELATIONSHIP"

#: The kinds an end can have -> the key that names it, there and in a request.
ENDS: Mapping[str, str] = {
    "TRACKED_ENTITY": "trackedEntity",
    "ENROLLMENT": "enrollment",
    "EVENT": "event",
}


@dataclass(frozen=True, slots=True)
class Relationship:
    """One living relationship as a server gave it; nothing of it can be changed (tracker-api 4).

    Attributes:
        uid: Its UID.
        type: The relationship type.
        start: The object it comes from; nothing where the server does not show it.
        end: The object it leads to, likewise.
        under: The person with whom it was read; nobody for an event without registration.
        updated_at: The server's stamp, without zone.
    """

    uid: str
    type: str
    start: Ref | None
    end: Ref | None
    under: str | None = None
    updated_at: datetime | None = None

    @property
    def ref(self) -> Ref:
        """The relationship as an object of the ledger."""
        return Ref(KIND, self.uid)

    @property
    def ends(self) -> tuple[Ref, ...]:
        """Both ends, as far as they are shown."""
        return tuple(end for end in (self.start, self.end) if end is not None)

    @property
    def people(self) -> tuple[str, ...]:
        """The people among the ends."""
        return tuple(end.uid for end in self.ends if end.kind == "TRACKED_ENTITY")

    @property
    def tracked_entity(self) -> str | None:
        """The person whose reading shows it for certain, and whose stamp its deletion moves.

        That is the one it comes from, before the one it leads to (tracker-api 2.2); nobody
        where both ends are events without registration.
        """
        return next(iter(self.people), self.under)

    @property
    def lone_event(self) -> str | None:
        """The event without registration that it belongs to, where it belongs to nobody."""
        events = (end.uid for end in self.ends if end.kind == "EVENT")
        return None if self.tracked_entity else next(events, None)

    @property
    def content_hash(self) -> str:
        """A hash that differs whenever type or ends differ."""
        text = json.dumps([self.type, self.start, self.end])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def payload(self) -> Payload:
        """Return what is sent; the client's stamp is not among what is read (tracker-api 3.2)."""
        return {
            "relationship": self.uid,
            "relationshipType": self.type,
            "from": _sent(self.start),
            "to": _sent(self.end),
        }

    def is_like(self, other: Relationship) -> bool:
        """Whether both are of one type and join the same objects, whatever the direction."""
        return self.type == other.type and {*self.ends} == {*other.ends}


def relationships_in(table: pa.Table) -> list[Relationship]:
    """Return the rows of the table `relationships`."""
    return [_of_row(row) for row in table.to_pylist()]


def relationship_of(row: Mapping[str, Any]) -> Relationship:
    """Return a relationship as a server gives one alone, nested."""
    flat = {
        f"{side}_{key}": (row.get(side) or {}).get(key, {}).get(key)
        for side in ("from", "to")
        for key in ENDS.values()
    }
    return _of_row({**row, **flat, "trackedEntity": None, "updatedAt": None})


def people_of(relationships: Iterable[Relationship]) -> list[str]:
    """Return the people at the ends of relationships, each once."""
    return sorted({uid for each in relationships for uid in each.people})


def _of_row(row: Mapping[str, Any]) -> Relationship:
    """Return a row as a relationship; a run holds all it read, so that what is equal is shared."""
    start, end, under = _end(row, "from"), _end(row, "to"), row["trackedEntity"]
    shared = next((each.uid for each in (start, end) if each and each.uid == under), under)
    kind = intern(row["relationshipType"])
    return Relationship(row["relationship"], kind, start, end, shared, row["updatedAt"])


def _end(row: Mapping[str, Any], side: str) -> Ref | None:
    named = ((kind, row[f"{side}_{key}"]) for kind, key in ENDS.items())
    return next((Ref(kind, uid) for kind, uid in named if uid is not None), None)


def _sent(end: Ref | None) -> Payload:
    key = ENDS[end.kind] if end else ""
    return {key: {key: end.uid}} if end else {}
