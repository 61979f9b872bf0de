"""The renaming: which objects give up a code or name that something new is to have?

A server looks at what it holds, not at the rest of a payload, so they are renamed before
anything else is even looked at (metadata 2.7: E5003).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dhis2_api.metadata import Fields
from dhis2_api.metadata_report import ImportTerms, Mode
from tracker_sync.metadata.application import Writable, post
from tracker_sync.metadata.canonical import sendable
from tracker_sync.metadata.clashes import unique_fields
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change


_MODES: tuple[Mode, ...] = ("VALIDATE", "COMMIT")


def free_names(destination: Writable, changes: Sequence[Change], theirs: Objects) -> None:
    """Give changed objects their new codes and names, and nothing else, where a new one waits.

    Raises:
        NotAppliedError: The destination refuses it.
    """
    payload: dict[str, list[Fields]] = {}
    for change, names in _giving_up(changes, theirs):
        there = dict(theirs[change.plural][change.uid])
        sharing = {"sharing": there["sharing"]} if "sharing" in there else {}
        renamed = {name: change.payload.get(name) for name in names}
        payload.setdefault(change.plural, []).append({**sendable(there), **sharing, **renamed})
    held = {(plural, fields["id"]) for plural, rows in payload.items() for fields in rows}
    for mode in _MODES if payload else ():
        post(destination, payload, ImportTerms(mode, keep_sharing=True), held)


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
