"""The choreography: what DHIS2 refuses at once and takes in two steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.difference import as_text
from tracker_sync.planning.plan import Planned
from tracker_sync.sending.delivery import refused


# From 2.42.6 and 2.43.1 on, a completed event of a stage that blocks entry is taken neither
# changed nor unchanged; re-opened first, it is (measured: Flows).
COMPLETED_AND_BLOCKED = "E1326"
LEFT_OPEN = "SYNC_LEFT_OPEN"

Send = Callable[[Sequence[Planned]], list[Entry]]


def in_more_steps(send: Send, planned: Sequence[Planned], lines: Sequence[Entry]) -> list[Entry]:
    """Send again, in steps, what was refused for want of them; return the lines as they are then.

    What was re-opened and is then not taken completed stays open at the destination. It is
    refused with a code of ours that says so, and that can heal, so that each run tries again.

    Args:
        send: Sends objects and returns their lines.
        planned: What was sent.
        lines: What became of it.
    """
    blocked = {line.ref for line in lines if line.code == COMPLETED_AND_BLOCKED}
    if not blocked and not any(item.entry.code == LEFT_OPEN for item in planned):
        return [*lines]
    items = [item for item in planned if item.entry.ref in blocked]
    opened = send([_reopened(item) for item in items]) if items else []
    open_now = {line.ref for line in opened if line.outcome is Outcome.STORED}
    completed = send([item for item in items if item.entry.ref in open_now]) if open_now else []
    now = {line.ref: line for line in [*lines, *opened, *completed]}
    # What an earlier run left open goes in one step, and may be refused like any other.
    left = {item.entry.ref: item.entry for item in planned if _is_open(item, open_now)}
    return [_said(line, left.get(line.ref)) for line in now.values()]


def _is_open(item: Planned, open_now: Collection[Ref]) -> bool:
    return item.entry.ref in open_now or item.entry.code == LEFT_OPEN


def _said(line: Entry, left_open: Entry | None) -> Entry:
    """Return a line that says what is open at the destination and should be completed."""
    if left_open is None or line.outcome is not Outcome.REFUSED:
        return line
    return refused(left_open, LEFT_OPEN)


def _reopened(item: Planned) -> Planned:
    """Return the first step; without F_UNCOMPLETE_EVENT it is refused with E1083."""
    payload = json.loads(item.text or "{}")
    payload.pop("completedAt", None)
    return item._replace(text=as_text(payload | {"status": "ACTIVE"}))
