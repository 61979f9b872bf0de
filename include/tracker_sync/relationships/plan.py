"""The plan of relationships: which are sent, and what is looked up before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from dhis2_api.client import Dhis2Client
from tracker_sync.codes import can_heal
from tracker_sync.mapping.reasons import outcome_of
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.relationships.link import Relationship
from tracker_sync.relationships.of_run import Met
from tracker_sync.relationships.reading import Fate, absent_ends, fate_of, read_beside
from tracker_sync.relationships.sending import ToSend
from tracker_sync.relationships.state import Known
from tracker_sync.sending.delivery import refused


END_IS_ABSENT = "E4012"
BURNED = "E4017"
END_NOT_SHOWN = "E4001"
IS_ANOTHER = "SYNC_RELATIONSHIP_IS_ANOTHER"


class _Doubt(Enum):
    NONE = "its line is final"
    STILL_THERE = "the destination had it; has it still?"
    ENDS = "an end was absent; is it there by now?"
    BURNED = "its UID was used up; is it purged by now?"
    SENT = "the destination will say"


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of the relationships that came.

    Attributes:
        lines: The lines of those that are not sent.
        to_send: The others.
    """

    lines: list[Entry]
    to_send: list[ToSend]


def plan_relationships(
    client: Dhis2Client, came: Iterable[Met], known: Mapping[str, Known], model_hash: str
) -> Planned:
    """Say of each relationship whether it is sent.

    The destination is asked only where an earlier run knows something of it: relationships
    are the dearest part of a read, and one that is sent again does no harm (measured).

    Args:
        client: The destination.
        came: Relationships, each once.
        known: What earlier runs came to, by UID.
        model_hash: The programs' metadata; with another one a refusal is tried again.
    """
    doubts: defaultdict[_Doubt, list[ToSend]] = defaultdict(list)
    for met in came:
        doubt, entry = _first_look(met, known.get(met.relationship.uid), model_hash)
        doubts[doubt].append(ToSend(met.relationship, entry))
    lines = [item.entry for item in doubts[_Doubt.NONE]]
    to_send = [*doubts[_Doubt.SENT]]
    for look_up, doubt in (
        (_still_there, _Doubt.STILL_THERE),
        (_with_ends, _Doubt.ENDS),
        (_purged, _Doubt.BURNED),
    ):
        for item, settled in look_up(client, doubts[doubt]):
            if settled is None:
                to_send.append(ToSend(item.relationship, _without_uid(item.entry)))
            else:
                lines.append(settled)
    return Planned(lines, to_send)


def _first_look(met: Met, known: Known | None, model_hash: str) -> tuple[_Doubt, Entry]:
    each = met.relationship
    entry = Entry(
        each.ref,
        each.tracked_entity,
        Outcome.UNCHANGED,
        updated_at=each.updated_at,
        content_hash=each.content_hash,
        destination_uid=known.destination_uid if known else None,
        lone_event=each.lone_event,
    )
    if met.superseded or (known and known.read_number > met.basis.read_number):
        return _Doubt.NONE, entry.but(outcome=Outcome.SUPERSEDED)
    if met.code:
        again = known is not None and known.refused == met.code
        outcome = outcome_of(met.code)
        return _Doubt.NONE, entry.but(outcome=outcome, known=again, code=met.code)
    if known and known.refused and known.content_hash == entry.content_hash:
        return _refused_before(entry.but(known=True, code=known.refused), known, model_hash)
    if len(each.ends) < len(("from", "to")):
        return _Doubt.NONE, refused(entry, END_NOT_SHOWN)
    was_there = known is not None and known.refused is None and known.is_open
    return (_Doubt.STILL_THERE if was_there else _Doubt.SENT), entry


def _refused_before(entry: Entry, known: Known, model_hash: str) -> tuple[_Doubt, Entry]:
    code = entry.code or ""
    if known.model_hash == model_hash and (code == END_NOT_SHOWN or not can_heal(code)):
        return _Doubt.NONE, refused(entry, code)
    return _LOOKED_UP.get(code, _Doubt.SENT), entry


_LOOKED_UP = {
    END_IS_ABSENT: _Doubt.ENDS,
    BURNED: _Doubt.BURNED,
    IS_ANOTHER: _Doubt.STILL_THERE,
}


_Looked = Iterable[tuple[ToSend, Entry | None]]


def _still_there(client: Dhis2Client, items: list[ToSend]) -> _Looked:
    beside = read_beside(client, [item.relationship for item in items])
    there = {each.uid: each for each in beside}
    for item in items:
        found = there.get(item.entry.destination_uid or item.relationship.uid)
        if found is not None and _joins_others(found, item.relationship):
            yield item, refused(item.entry, IS_ANOTHER)
        else:
            yield item, item.entry.but(code=None, known=False) if found else None


def _joins_others(there: Relationship, ours: Relationship) -> bool:
    """Whether the destination shows both ends of one, and they are others than at the source."""
    return len(there.ends) == len(ours.ends) and {*there.ends} != {*ours.ends}


def _with_ends(client: Dhis2Client, items: list[ToSend]) -> _Looked:
    absent = absent_ends(client, [item.relationship for item in items])
    for item in items:
        lacks = not absent.isdisjoint(item.relationship.ends)
        yield item, refused(item.entry, END_IS_ABSENT) if lacks else None


def _purged(client: Dhis2Client, items: list[ToSend]) -> _Looked:
    for item in items:
        burned = fate_of(client, item.relationship) is Fate.DELETED
        yield item, refused(item.entry, BURNED) if burned else None


def _without_uid(entry: Entry) -> Entry:
    return entry.but(destination_uid=None)
