"""The step `second_pass`: try once more what was refused because of its order.

What was refused because something else came later, or had not given way yet, is sent
again now that all slices are through; round after round, as long as somebody gets through.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.second_pass.again import Again, agains
from tracker_sync.second_pass.living_there import people_at
from tracker_sync.second_pass.swapping import Swapping
from tracker_sync.second_pass.unique_values import UniqueValues, unique_digests


_MOST_ROUNDS = 10

_log = logging.getLogger(__name__)


def run(after: AfterSlices) -> dict[str, Any]:
    """Return the counts of what it came to.

    Raises:
        TransientError: The destination stopped answering.
    """
    unique = UniqueValues(after.workspace.unique_values, after.model)
    slices = [*agains(after, unique)]
    swapping = Swapping(after, slices, unique)
    if slices:
        _rounds(slices)
        while swapping.give_up():
            _rounds(slices)
    swapping.give_back()
    if slices:
        twice = _with_one_value(after, unique)
        for piece in slices:
            piece.name_shared(twice)
    return after.finish("second_pass", {piece.basis: piece.entries() for piece in slices})


def _rounds(slices: Sequence[Again]) -> None:
    """Send who is stuck, until nobody gets through any more."""
    for number in range(1, _MOST_ROUNDS + 1):
        stuck = sum(len(piece.trees) for piece in slices)
        for piece in slices:
            piece.round()
        left = sum(len(piece.trees) for piece in slices)
        _log.info("round %s: %s people or events sent again, %s still refused", number, stuck, left)
        if left in {0, stuck}:
            return


def _with_one_value(after: AfterSlices, unique: UniqueValues) -> frozenset[str]:
    """Return who of the run has a unique value at the destination that another one has too.

    Only those are read who came with one value: of all others the destination said no
    itself, since what it compares with had been stored (measured: Writing).
    """
    people = frozenset[str]().union(*unique.shared())
    if not people:
        return people
    secret = unique.secret()
    held = {
        tree.uid: unique_digests(tree, after.model, secret) for tree in people_at(after, people)
    }
    holders = Counter(digest for digests in held.values() for digest in digests)
    return frozenset(
        uid for uid, digests in held.items() if any(holders[digest] > 1 for digest in digests)
    )
