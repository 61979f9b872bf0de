"""The renaming: which objects give up a code or name that something new is to have?

A server looks at what it holds, not at the rest of a payload, so they are renamed before
anything else is even looked at (metadata 2.7: E5003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dhis2_api.metadata import Fields
from tracker_sync.metadata.application import Writable, rewrite
from tracker_sync.metadata.clashes import unique_fields
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change
from tracker_sync.metadata.merging import as_it_stands


def free_names(destination: Writable, changes: Sequence[Change], theirs: Objects) -> None:
    """Give changed objects their new codes and names, and nothing else, where a new one waits.

    Raises:
        NotAppliedError: The destination refuses it.
    """
    payload: dict[str, list[Fields]] = {}
    for change, names in _giving_up(changes, theirs):
        there = as_it_stands(dict(theirs[change.plural][change.uid]))
        renamed = {name: change.payload.get(name) for name in names}
        payload.setdefault(change.plural, []).append({**there, **renamed})
    rewrite(destination, payload)


def _giving_up(
    changes: Sequence[Change], theirs: Objects
) -> Iterator[tuple[Change, Sequence[str]]]:
    wanted = {
        (change.plural, name, change.payload[name])
        for change in changes
        if change.is_new
        for name in unique_fields(change.plural)
        if change.payload.get(name)
    }
    for change in changes:
        if not change.is_new:
            there = theirs[change.plural][change.uid]
            own = set(unique_fields(change.plural)) & set(change.fields)
            if any((change.plural, name, there.get(name)) in wanted for name in own):
                yield change, sorted(own)
