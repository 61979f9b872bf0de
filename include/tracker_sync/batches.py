"""The batches: which people, or which events without registration, go into one import request."""

from __future__ import annotations

from collections.abc import Iterator

from tracker_sync.bundles import Row, as_tree
from tracker_sync.package import Package
from tracker_sync.route import Batches
from tracker_sync.trees import Tree


# A person with all below is some eight to ten objects (measured: What costs what), so that
# as many lone events are no more work for a server than one person.
EVENTS_A_PERSON = 10


def each_batch(package: Package, limits: Batches) -> Iterator[list[Tree]]:
    """Yield the bundles of a package in batches within the route's limits.

    A person larger than the limit is a batch alone, whole. Of events without
    registration ten count as one person.
    """
    most = limits.megabytes * 1_000_000
    batch: list[Tree] = []
    size = 0
    for row in _rows(package):
        full = len(batch) >= _roots(row, limits) or size + row["bytes"] > most
        if batch and full:
            yield batch
            batch, size = [], 0
        batch.append(as_tree(row))
        size += row["bytes"]
    if batch:
        yield batch


def _rows(package: Package) -> Iterator[Row]:
    for tables in package.row_groups():
        yield from tables["bundles"].to_pylist()


def _roots(row: Row, limits: Batches) -> int:
    return limits.tracked_entities * (1 if row["tracked_entity"] else EVENTS_A_PERSON)
