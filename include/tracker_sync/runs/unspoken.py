"""The unspoken: what a slice was to load and its ledger does not speak of."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.runs.loaded_slices import packages_of
from tracker_sync.runs.slicing import Slice
from tracker_sync.staging.package import open_package
from tracker_sync.workspace import Workspace


NOT_IN_LEDGER = "SYNC_NOT_IN_LEDGER"

# What objects are, and whose, without what they say, which is all but a part of the file.
_NAMES = ("tracked_entity", "objects.list.element.kind", "objects.list.element.uid")


def unspoken(workspace: Workspace, piece: Slice, lines: pa.Table) -> Iterator[Entry]:
    """Yield a line for each object of a slice's bundles that is in no line of its ledger.

    Args:
        workspace: The files of the run.
        piece: A slice; one whose load did not come to its end has no ledger to compare.
        lines: Its ledger, rows of `LEDGER`.

    Raises:
        DamagedPackage: The bundles are not what was written.
    """
    packages = packages_of(workspace, piece)
    if packages is None:
        return
    spoken = _keys(lines["kind"].combine_chunks(), lines["uid"].combine_chunks())
    bundles = open_package(packages[1]).columns("bundles", *_NAMES)
    nested = bundles["objects"].combine_chunks()
    objects = nested.flatten()
    people = bundles["tracked_entity"].combine_chunks().take(nested.value_parent_indices())
    silent = pc.invert(
        pc.is_in(_keys(objects.field("kind"), objects.field("uid")), value_set=spoken)
    )
    rows = objects.filter(silent), people.filter(silent)
    for item, person in zip(*(part.to_pylist() for part in rows), strict=True):
        ref = Ref(item["kind"], item["uid"])
        yield Entry(ref, person, Outcome.MISSING, code=NOT_IN_LEDGER)


def _keys(kinds: pa.Array, uids: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(kinds, uids, " ")
