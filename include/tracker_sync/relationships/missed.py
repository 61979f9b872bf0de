"""The relationships that should have come: known, and their people or events were read since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracker_sync.deletions.waiting import WAITING
from tracker_sync.relationships.of_run import ReadRelationships
from tracker_sync.relationships.state import Known
from tracker_sync.runs.loaded_slices import Basis


@dataclass(frozen=True, slots=True)
class Missed:
    """What a run missed, and what lines about it rest on.

    Attributes:
        known: What earlier runs came to, by UID.
        bases: What a line about each rests on.
    """

    known: Mapping[str, Known]
    bases: Mapping[str, Basis]


def missed(read: ReadRelationships, known: Mapping[str, Known], *, sends: bool) -> Missed:
    """Return which known relationships did not come, though they would have if they lived.

    Args:
        read: What came.
        known: What earlier runs came to, by UID.
        sends: Whether deletions are sent: then those too whose deletion was held.
    """
    found = {
        uid: one
        for uid, one in known.items()
        if uid not in read.met and one.is_open
        if (sends and one.code in WAITING) or _would_have_come(read, one)
    }
    return Missed(found, {uid: _basis(read, one) for uid, one in found.items()})


def _would_have_come(read: ReadRelationships, known: Known) -> bool:
    """Whether whom it belongs to was read, and not before what is known of it."""
    root = known.root or ""
    number = read.roots.get(root, -1)
    if known.refused:  # and with whom it belongs to it is gone for good
        number = max(number, read.buried.get(root, -1))
    return number >= known.read_number


def _basis(read: ReadRelationships, known: Known) -> Basis:
    root, number = known.root or "", known.read_number
    latest = max(number, read.roots.get(root, number), read.buried.get(root, number))
    return Basis(latest, known.program)
