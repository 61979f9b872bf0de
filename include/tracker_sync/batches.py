"""The batches: which people go into one import request."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from tracker_sync.bundles import as_trees
from tracker_sync.package import Package
from tracker_sync.route import Batches
from tracker_sync.trees import Tree


def each_batch(package: Package, limits: Batches) -> Iterator[list[Tree]]:
    """Yield the bundles of a package in batches within the route's limits.

    A person larger than the limit is a batch alone, whole.
    """
    for tables in package.row_groups():
        bundles = tables["bundles"]
        for start, stop in _spans(bundles["bytes"].to_pylist(), limits):
            yield as_trees(_part(bundles, start, stop))


def _spans(sizes: list[int], limits: Batches) -> Iterator[tuple[int, int]]:
    most = limits.megabytes * 1_000_000
    start = total = 0
    for index, size in enumerate(sizes):
        if index > start and (index - start == limits.tracked_entities or total + size > most):
            yield start, index
            start, total = index, 0
        total += size
    if start < len(sizes):
        yield start, len(sizes)


def _part(bundles: pa.Table, start: int, stop: int) -> pa.Table:
    return bundles.slice(start, stop - start)
