"""The delivery: planned objects go out, and each comes back with its outcome.

sent = stored + refused + missing, by UID, whatever status and HTTP say.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError
from dhis2_api.import_report import LISTS
from dhis2_api.importer import ImportReport, Ref
from tracker_sync.leases.lease import unguarded
from tracker_sync.outcome import Entry, Outcome, stored
from tracker_sync.planning.plan import PARENT_REFUSED, Planned
from tracker_sync.sending.halving import code_at_fault, in_halves
from tracker_sync.sending.posting import Posting


NOT_IN_REPORT = "SYNC_NOT_IN_REPORT"

_log = logging.getLogger(__name__)


def deliver(
    client: Dhis2Client,
    planned: Sequence[Planned],
    before_write: Callable[[], None] = unguarded,
    posting: Posting | None = None,
) -> list[Entry]:
    """Send what has a text, parents first, and return the line of each object sent.

    An object the report does not name is *missing* here: whether the destination
    holds it after all is for the caller to read back.

    Args:
        client: The destination.
        planned: What to send.
        before_write: Called before each request; raises if this run may not write any more.
        posting: How requests go out.

    Raises:
        TransientError: The outcome is unknown; read back and plan again.
        RequestRefused: The server takes no imports at all.
    """
    to_send = [item for item in planned if item.text is not None]
    post = (posting or Posting()).post

    def send(items: Sequence[Planned]) -> list[Entry]:
        before_write()
        people = len({item.entry.root for item in items})
        report = post(client, request_of(items), people)
        return accounted(items, report)

    def alone(item: Planned, refusal: PermanentError) -> list[Entry]:
        before_write()
        return [_at_fault(client, item.entry, refusal)]

    return [line for lines in in_halves(to_send, send, alone) for line in lines]


def request_of(planned: Sequence[Planned]) -> bytes:
    """Return the flat JSON that holds exactly *planned*, joined from their texts."""
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for item in planned:
        texts[item.entry.ref.kind].append(item.text or "")
    parts = (f'"{LISTS[kind]}":[{",".join(of_kind)}]' for kind, of_kind in texts.items())
    return f"{{{','.join(parts)}}}".encode()


def account(entry: Entry, report: ImportReport) -> Entry:
    """Return the line of an object that was sent, given what the report says.

    A refusal outranks a success; an object in neither is missing.
    """
    codes = report.refused.get(entry.ref)
    if codes:
        return refused(entry, codes[0])
    if entry.ref in report.stored:
        return stored(entry)
    return entry.but(outcome=Outcome.MISSING, action=None, code=NOT_IN_REPORT, known=False)


def refused(entry: Entry, code: str) -> Entry:
    """Return the line of an object that was refused; known only with the code it had before."""
    known = entry.known and entry.code == code
    return entry.but(outcome=Outcome.REFUSED, action=None, code=code, known=known)


def accounted(sent: Sequence[Planned], report: ImportReport) -> list[Entry]:
    """Account for what was sent; a child of a refused parent may be in no report at all.

    DHIS2 says E5000 for the enrollment of a refused person, and nothing for the events
    below it (recordings: refused-E5000-children-of-a-refused-parent).
    """
    if not report.refused and report.stored.issuperset([item.entry.ref for item in sent]):
        return [stored(item.entry) for item in sent]
    lines: dict[Ref, Entry] = {}
    for item in sent:
        line = account(item.entry, report)
        above = lines.get(item.parent) if item.parent else None
        if line.outcome is Outcome.MISSING and above and above.outcome is Outcome.REFUSED:
            line = refused(item.entry, PARENT_REFUSED)
        lines[line.ref] = line
    return [*lines.values()]


def _at_fault(client: Dhis2Client, entry: Entry, refusal: PermanentError) -> Entry:
    """Return the line of an object whose request, of it alone, was refused as a whole."""
    code = code_at_fault(client, refusal)
    _log.warning("%s %s: %s", entry.ref.kind, entry.ref.uid, refusal)
    return refused(entry, code)
