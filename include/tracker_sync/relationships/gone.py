"""The relationships that are gone: known from earlier runs, and not with their ends any more.

Deleted ones come without a flag (measured: Reading), and lost rights look the same. So
each is looked for by itself, and only one whose tombstone the source has is deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from dhis2_api.errors import Unauthorized
from dhis2_api.importer import Ref
from tracker_sync.deletions.policy import deletions_allowed
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.relationships.link import KIND, Relationship
from tracker_sync.relationships.reading import Fate, fate_of, read_one
from tracker_sync.relationships.sending import DENIED
from tracker_sync.relationships.state import Known
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.sending.delivery import refused


NEITHER_ALIVE_NOR_DELETED = "SYNC_RELATIONSHIP_GONE"

_log = logging.getLogger(__name__)

#: More than these are not looked for each by itself, unless a run may delete as many: so many at
#: once are lost rights, or deletions that are a person's to allow.
MOST_LOOKED_FOR = 1_000


@dataclass(slots=True)
class Sorted:
    """What is to become of relationships that are gone.

    Attributes:
        lines: The lines of those that stay as they are.
        doomed: Those whose tombstone the source has, with the line of each if it is held.
        too_many: Those that nobody looked for.
    """

    lines: list[Entry] = field(default_factory=list)
    doomed: list[tuple[Entry, Relationship]] = field(default_factory=list)
    too_many: list[Entry] = field(default_factory=list)


def look_for(
    after: AfterSlices, gone: Mapping[str, Known], living: Collection[Relationship]
) -> Sorted:
    """Say of each relationship that did not come whether it is to be deleted.

    Args:
        after: The run.
        gone: Relationships that did not come, by UID.
        living: Those that came: one of them may be what the destination has instead.
    """
    if len(gone) > max(MOST_LOOKED_FOR, deletions_allowed(after)):
        return Sorted(too_many=[_held(uid, known) for uid, known in gone.items()])
    found = Sorted()
    alike = {(each.type, frozenset(each.ends)) for each in living}
    for uid, known in gone.items():
        try:
            there = read_one(after.destination.client, known.destination_uid or uid)
        except Unauthorized as error:
            _log.warning("RELATIONSHIP %s: %s", uid, error)
            found.lines.append(_denied(uid, known))
            continue
        if there is None or (there.type, frozenset(there.ends)) in alike:
            found.lines.append(_nowhere(uid, known))
            continue
        fate = fate_of(after.source, replace(there, uid=uid))
        if fate is Fate.UNKNOWN:
            found.lines.append(_held(uid, known))
        elif fate is Fate.DELETED:
            found.doomed.append((_doomed(uid, known), there))
    return found


def _nowhere(uid: str, known: Known) -> Entry:
    line = Entry(Ref(KIND, uid), known.tracked_entity, Outcome.UNCHANGED)
    return line.but(lone_event=known.lone_event)


def _doomed(uid: str, known: Known) -> Entry:
    """Return the line of a deletion; known with the code it was refused with before."""
    before = known.refused if known.content_hash is None else None
    line = _held(uid, known).but(code=before, known=before is not None)
    return line.but(outcome=Outcome.MISSING)


def _denied(uid: str, known: Known) -> Entry:
    """Return the line of one that the destination hides: refused, so that every run looks again."""
    line = _held(uid, known).but(code=known.refused, known=known.refused is not None)
    return refused(line, DENIED)


def _held(uid: str, known: Known) -> Entry:
    return Entry(
        Ref(KIND, uid),
        known.tracked_entity,
        Outcome.HELD,
        code=NEITHER_ALIVE_NOR_DELETED,
        destination_uid=known.destination_uid,
        lone_event=known.lone_event,
    )
