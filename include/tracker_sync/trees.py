"""The trees: staged rows as the tracker payload of each person or lone event, ready to import.

Both servers are read into the same shape, so that they can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tracker_sync.projection import Payload, enrollment_payload, event_payload, person_payload
from tracker_sync.tables import Tables


Kind = Literal["TRACKED_ENTITY", "ENROLLMENT", "EVENT"]
KINDS: tuple[Kind, ...] = ("TRACKED_ENTITY", "ENROLLMENT", "EVENT")

# The group of what stands below nothing: attributes that are the person's own and not an
# enrollment's, and events of programs without registration.
_ALONE = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One object as it was read.

    Attributes:
        kind: What it is.
        uid: Its UID.
        updated_at: The server's stamp, as the server's zone-less clock gave it.
        deleted: Whether it is a tombstone.
    """

    kind: Kind
    uid: str
    updated_at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """One person with all below, or one event without registration.

    Attributes:
        uid: The tracked entity, or the event.
        payload: What lives, as import JSON, nested; empty if the root is deleted.
        versions: Every version read: the person, the enrollments and the events,
            tombstones too.
        program: The program without registration of an event; empty for a person.
    """

    uid: str
    payload: Payload
    versions: tuple[Version, ...]
    program: str = ""

    @property
    def kind(self) -> Kind:
        """What the root is."""
        return "EVENT" if self.program else "TRACKED_ENTITY"

    @property
    def tracked_entity(self) -> str | None:
        """The person all of it belongs to; nobody for an event without registration."""
        return None if self.program else self.uid


def grow(tables: Tables) -> list[Tree]:
    """Return the trees of a closed set of people or events, as they were staged."""
    rows = {name: _grouped(table.to_pylist(), "trackedEntity") for name, table in tables.items()}
    values = _grouped(rows["data_values"].get(_ALONE, []), "event")
    return [
        *(_person_tree(person, rows) for person in tables["tracked_entities"].to_pylist()),
        *(_event_tree(event, values) for event in rows["events"].get(_ALONE, [])),
    ]


def by_program(trees: Iterable[Tree]) -> Mapping[str, list[str]]:
    """Return the UIDs of people under the empty text, those of events by their program."""
    uids: defaultdict[str, list[str]] = defaultdict(list)
    for tree in trees:
        uids[tree.program].append(tree.uid)
    return uids


_Groups = defaultdict[str, list[Payload]]


def _grouped(rows: Iterable[Payload], key: str) -> _Groups:
    groups: _Groups = defaultdict(list)
    for row in rows:
        groups[row[key] or _ALONE].append(row)
    return groups


def _person_tree(person: Payload, rows: Mapping[str, _Groups]) -> Tree:
    uid = person["trackedEntity"]
    enrollments = rows["enrollments"].get(uid, [])
    events = rows["events"].get(uid, [])
    _bury_the_children(person, enrollments, events)
    versions = (
        _version("TRACKED_ENTITY", "trackedEntity", person),
        *(_version("ENROLLMENT", "enrollment", row) for row in enrollments),
        *(_version("EVENT", "event", row) for row in events),
    )
    if person["deleted"]:
        return Tree(uid, {}, versions)
    attributes = _grouped(rows["attributes"].get(uid, []), "enrollment")
    values = _grouped(rows["data_values"].get(uid, []), "event")
    below = _grouped((row for row in events if not row["deleted"]), "enrollment")
    living = [
        enrollment_payload(
            row, attributes[row["enrollment"]], _events(row, below[row["enrollment"]], values)
        )
        for row in enrollments
        if not row["deleted"]
    ]
    return Tree(uid, person_payload(person, attributes[_ALONE], living), versions)


def _events(enrollment: Payload, events: Iterable[Payload], values: _Groups) -> list[Payload]:
    program = enrollment["program"]
    return [event_payload(event, values[event["event"]], program) for event in events]


def _event_tree(event: Payload, values: _Groups) -> Tree:
    uid, program = event["event"], event["program"]
    payload = {} if event["deleted"] else event_payload(event, values[uid], program)
    return Tree(uid, payload, (_version("EVENT", "event", event),), program)


def _bury_the_children(
    person: Payload, enrollments: Iterable[Payload], events: Iterable[Payload]
) -> None:
    """Mark as deleted what stands below something deleted.

    DHIS2 takes an event for a deleted enrollment, and nobody will see it (measured: Flows).
    """
    for enrollment in enrollments:
        enrollment["deleted"] = enrollment["deleted"] or person["deleted"]
    gone = {row["enrollment"] for row in enrollments if row["deleted"]}
    for event in events:
        event["deleted"] = event["deleted"] or event["enrollment"] in gone


def _version(kind: Kind, key: str, row: Payload) -> Version:
    return Version(kind, row[key], row["updatedAt"], bool(row["deleted"]))
