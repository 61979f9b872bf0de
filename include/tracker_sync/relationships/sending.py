"""The sending of relationships: each comes back with what the destination made of it."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError, Unauthorized
from dhis2_api.importer import ImportReport, Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.relationships.link import Relationship
from tracker_sync.relationships.reading import read_beside
from tracker_sync.sending.delivery import NOT_IN_REPORT, refused
from tracker_sync.sending.destination import Destination
from tracker_sync.sending.halving import REQUEST_REFUSED, code_at_fault, in_halves


THERE_ALREADY = "E4015"
THERE_UNDER_ANOTHER_UID = "E4018"
DENIED = "SYNC_RELATIONSHIP_DENIED"

#: So many are a request of some 50,000 bytes, and as much work as twenty people.
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ToSend:
    """One relationship, and its line as it stands before it is sent."""

    relationship: Relationship
    entry: Entry


def send_relationships(destination: Destination, batch: Sequence[ToSend]) -> list[Entry]:
    """Send relationships, and return the line of each.

    An unknown outcome is cleared up by sending again: what is there already, or the same
    under another UID, is success, and what we cannot have made before is *unchanged*.

    Args:
        destination: The server that is written to.
        batch: At most `AT_ONCE`, each UID once: 2.43 loses a request with one twice (measured).

    Raises:
        TransientError: It did not answer in any round.
    """
    tried: set[Ref] = set()

    def attempt() -> list[Entry]:
        doubtful = frozenset(tried)
        tried.update(item.entry.ref for item in batch)
        return _accounted(destination.client, batch, _sent(destination, batch), doubtful)

    return destination.again("sending", attempt)


def _sent(destination: Destination, batch: Sequence[ToSend]) -> ImportReport:
    """Return the report of a request, or of its halves where the whole was refused."""

    def send(items: Sequence[ToSend]) -> ImportReport:
        destination.before_write()
        payload = {"relationships": [item.relationship.payload() for item in items]}
        return destination.posting.create(destination.client, json.dumps(payload).encode())

    def alone(item: ToSend, refusal: PermanentError) -> ImportReport:
        destination.before_write()
        code = code_at_fault(destination.client, refusal)
        denied = isinstance(refusal, Unauthorized)
        return ImportReport(frozenset(), {item.entry.ref: (DENIED if denied else code,)})

    reports = in_halves(batch, send, alone)
    return ImportReport(
        frozenset().union(*(report.stored for report in reports)),
        dict(ChainMap(*(dict(report.refused) for report in reports))),
        dict(ChainMap(*(dict(report.warnings) for report in reports))),
    )


def _accounted(
    client: Dhis2Client, batch: Sequence[ToSend], report: ImportReport, doubtful: Collection[Ref]
) -> list[Entry]:
    lines = {item.entry.ref: _line(item.entry, report, doubtful) for item in batch}
    open_ones = [item for item in batch if lines[item.entry.ref].code in _LOOKED_UP]
    beside = read_beside(client, [item.relationship for item in open_ones]) if open_ones else []
    for item in open_ones:
        lines[item.entry.ref] = _found(item, lines[item.entry.ref], beside)
    return [*lines.values()]


# A server that broke down at one may have stored it all the same.
_LOOKED_UP = frozenset({THERE_UNDER_ANOTHER_UID, NOT_IN_REPORT, REQUEST_REFUSED})


def _line(entry: Entry, report: ImportReport, doubtful: Collection[Ref]) -> Entry:
    """Return the line of a relationship that was sent, given what the report says."""
    sent = entry.but(sent=True, action=None, code=None, known=False)
    ref = entry.ref
    if ref in report.refused:
        code = report.refused[ref][0]
        return refused(entry.but(sent=True), code)
    there = THERE_ALREADY in report.warnings.get(ref, ())
    if ref in report.stored or (there and ref in doubtful):
        return sent.but(outcome=Outcome.STORED, action="created")
    if there:
        return sent.but(outcome=Outcome.UNCHANGED)
    return sent.but(outcome=Outcome.MISSING, code=NOT_IN_REPORT)


def _found(item: ToSend, line: Entry, beside: Sequence[Relationship]) -> Entry:
    """Return the line of one that the destination may have under another UID.

    It drops the second of two alike in one request without a word (tracker-api 3.2).
    """
    alike = [each for each in beside if each.is_like(item.relationship)]
    in_order = sorted(alike, key=lambda each: (each.ends != item.relationship.ends, each.uid))
    there = {each.uid for each in beside}
    other = next((each.uid for each in in_order if each.uid != item.relationship.uid), None)
    if item.relationship.uid in there:
        return line.but(outcome=Outcome.STORED, action="created", code=None, known=False)
    if other or line.code == THERE_UNDER_ANOTHER_UID:
        settled = line.but(outcome=Outcome.UNCHANGED, code=None, known=False)
        return settled.but(destination_uid=other)
    return line
