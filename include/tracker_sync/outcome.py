"""The outcome: what became of one object that was read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self

from dhis2_api.importer import Ref


class Outcome(StrEnum):
    """The six ends an object can come to; every object that was read comes to one."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    HELD = "held"
    SUPERSEDED = "superseded"
    MISSING = "missing"


#: Every kind of object that a ledger speaks of. An `OWNER` has the UID `PERSON:PROGRAM`.
KINDS = (
    *("TRACKED_ENTITY", "ENROLLMENT", "EVENT"),
    *("RELATIONSHIP", "OWNER", "NOTE", "FILE"),
)


class Entry(NamedTuple):
    """One line of a ledger.

    A tuple, because a load makes one for each object and changes it several times; as a
    frozen dataclass that was most of what it did by itself.

    Attributes:
        ref: The object.
        tracked_entity: The person it belongs to; nobody for an event without registration.
        outcome: What became of it.
        action: `created`, `changed` or `deleted` where it was stored.
        code: Why, where it was not: a code of DHIS2 (`E1125`) or of ours.
        known: Whether an earlier run met the same refusal of the same content.
        sent: Whether it was in a request.
        updated_at: The source's stamp of the version that was read, without zone.
        content_hash: The hash of the content that was read.
        destination_updated_at: The destination's stamp of what it holds now, without zone.
        destination_uid: Its UID at the destination, where that is another.
        lone_event: The event without registration that a note, a file or a relationship
            of nobody belongs to; so a refusal of it is read again with that event.
        batch: The number of the batch in its slice.
        at: When the line was written, by the worker's clock.
    """

    ref: Ref
    tracked_entity: str | None
    outcome: Outcome
    action: str | None = None
    code: str | None = None
    known: bool = False
    sent: bool = False
    updated_at: datetime | None = None
    content_hash: str | None = None
    destination_updated_at: datetime | None = None
    destination_uid: str | None = None
    lone_event: str | None = None
    batch: int | None = None
    at: datetime | None = None

    @property
    def root(self) -> str:
        """The person, or the event without registration, that it is read and sent with."""
        return self.tracked_entity or self.ref.uid

    def but(self, **changes: Any) -> Self:
        """Return the line with some fields changed: `_replace` at a third of its time."""
        values: list[Any] = [*self]
        for name, value in changes.items():
            values[_PLACES[name]] = value
        return tuple.__new__(type(self), values)


def with_stamp(line: Entry, stamp: datetime | None) -> Entry:
    """Return a line with the destination's stamp: `but` at a third of its time."""
    return tuple.__new__(Entry, (*line[:_STAMP], stamp, *line[_STAMP + 1 :]))


def stored(line: Entry) -> Entry:
    """Return the line of what was sent and stored, without what an earlier run met."""
    return tuple.__new__(
        Entry, (*line[:_OUTCOME], Outcome.STORED, line.action, None, False, *line[_KNOWN + 1 :])
    )


_PLACES = {name: place for place, name in enumerate(Entry._fields)}
_OUTCOME, _KNOWN = _PLACES["outcome"], _PLACES["known"]
_STAMP = _PLACES["destination_updated_at"]
