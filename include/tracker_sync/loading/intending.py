"""The intending: what is a write about to leave, should nobody live to tell that it was ours?

Where edits at the destination are kept, a run that is killed between a request and its line
in the state would be taken for somebody else: the stamp moved, and the content is not what
the state knows. So what is about to be written is remembered first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.difference import BESIDE, VALUES_KEY, as_text, values
from tracker_sync.planning.plan import Planned
from tracker_sync.sending.destination import AboutTo, Edits, told_to_nobody
from tracker_sync.state.fold import ON_ITS_WAY


def telling(
    edits: Edits, known: Collection[Ref], remember: Callable[[Sequence[Entry]], None]
) -> AboutTo:
    """Return what is told of each request before it is sent.

    Args:
        edits: What becomes of edits at the destination; if they are overwritten, nothing is told.
        known: What earlier runs know; of all else nobody asks whether it was edited.
        remember: Adds lines to the state.
    """
    if edits == "overwrite":
        return told_to_nobody

    def tell(lines: Iterable[Entry]) -> None:
        of_known = [line for line in lines if line.ref in known]
        if of_known:
            remember(of_known)

    return tell


def on_their_way(planned: Iterable[Planned]) -> Iterator[Entry]:
    """Yield a line of each object that is about to be sent, with the content it is to have.

    A refusal, so that every run reads it until it is known what became of it.
    """
    for item in planned:
        left = left_by(item) if item.held else item.entry.content_hash
        yield item.entry.but(outcome=Outcome.REFUSED, code=ON_ITS_WAY, content_hash=left)


def left_by(item: Planned) -> str:
    """Return the hash of what the destination has of an object once this is stored.

    What is not named stays, and what is named with null goes (tracker-api 4).
    """
    kind, sent = item.entry.ref.kind, item.payload or {}
    payload = {name: value for name, value in sent.items() if name not in BESIDE}
    held = json.loads((item.held and item.held.content) or "{}")
    merged = {**values(kind, held), **values(kind, payload)}
    living = [merged[uid] for uid in sorted(merged) if merged[uid]["value"] is not None]
    payload[VALUES_KEY[kind][0]] = living
    text = as_text(dict(sorted(payload.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
