"""The choreography: what DHIS2 refuses at once and takes in two steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from tracker_sync.difference import as_text
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.plan import Planned


# From 2.42.6 and 2.43.1 on, a completed event of a stage that blocks entry is taken neither
# changed nor unchanged; re-opened first, it is (measured: Flows).
COMPLETED_AND_BLOCKED = "E1326"

Send = Callable[[Sequence[Planned]], list[Entry]]


def in_more_steps(send: Send, planned: Sequence[Planned], lines: Sequence[Entry]) -> list[Entry]:
    """Send again, in steps, what was refused for want of them; return the lines as they are then.

    Args:
        send: Sends objects and returns their lines.
        planned: What was sent.
        lines: What became of it.
    """
    blocked = {line.ref for line in lines if line.code == COMPLETED_AND_BLOCKED}
    if not blocked:
        return [*lines]
    items = [item for item in planned if item.entry.ref in blocked]
    now = {line.ref: line for line in _reopened_and_completed(send, items)}
    return [now.get(line.ref, line) for line in lines]


def _reopened_and_completed(send: Send, items: Sequence[Planned]) -> list[Entry]:
    """Return the lines of completed events that were re-opened, then sent as they are.

    Needs F_UNCOMPLETE_EVENT; without it the first step is refused with E1083.
    """
    opened = send([_reopened(item) for item in items])
    stored = {line.ref for line in opened if line.outcome is Outcome.STORED}
    completed = send([item for item in items if item.entry.ref in stored])
    return [*(line for line in opened if line.ref not in stored), *completed]


def _reopened(item: Planned) -> Planned:
    payload = json.loads(item.text or "{}")
    payload.pop("completedAt", None)
    return item._replace(text=as_text(payload | {"status": "ACTIVE"}))
