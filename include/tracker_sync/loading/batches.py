"""The batches: which people, or which lone events, are compared and sent together."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from tracker_sync.planning.objects import Tree, trees_of
from tracker_sync.route import Batches
from tracker_sync.sending.batch_size import BatchSize
from tracker_sync.staging.package import Package


# A person with all below is some eight to ten objects (measured: What costs what), so that
# as many lone events are no more work for a server than one person.
EVENTS_A_PERSON = 10

# Fewer people are not worth a request of their own.
_LEAST = 10


def each_batch(
    package: Package, limits: Batches, size: BatchSize | None = None
) -> Iterator[list[Tree]]:
    """Yield the bundles of a package in batches within the route's limits.

    A person larger than the limit is a batch alone, whole. Of events without
    registration ten count as one person. The last batches are smaller, so that all
    writers end at about the same time.

    Args:
        package: The bundles.
        limits: What the route allows.
        size: Says how many people the next batch has; it may change from batch to batch.
    """
    size = size or BatchSize(limits.tracked_entities)
    most = limits.megabytes * 1_000_000
    batch: list[Tree] = []
    held, left = 0, package.rows("bundles")
    for tree in _trees(package):
        one = 1 if tree.tracked_entity else EVENTS_A_PERSON
        people = min(size.people, _share(left / one, limits.in_parallel))
        if batch and (len(batch) >= people * one or held + tree.bytes > most):
            yield batch
            left -= len(batch)
            batch, held = [], 0
        batch.append(tree)
        held += tree.bytes
    if batch:
        yield batch


def _share(people: float, writers: int) -> int:
    """Return how many of the people that are left one writer of several takes at a time."""
    return max(_LEAST, ceil(people / writers))


def _trees(package: Package) -> Iterator[Tree]:
    for tables in package.row_groups("bundles"):
        yield from trees_of(tables["bundles"])
