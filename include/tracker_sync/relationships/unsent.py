"""The relationships unsent: what a dry run would make, given what the destination has by now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pyarrow.parquet as pq

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry
from tracker_sync.planning.would_be import would_be
from tracker_sync.relationships.link import Relationship
from tracker_sync.relationships.plan import END_IS_ABSENT
from tracker_sync.relationships.reading import absent_ends, read_beside
from tracker_sync.relationships.sending import ToSend
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.sending.delivery import refused


def would_relate(
    after: AfterSlices, items: Sequence[ToSend], to_come: Collection[Ref]
) -> list[Entry]:
    """Return the lines of relationships that would be sent, as the destination would answer.

    Args:
        after: The run, a dry one.
        items: The relationships.
        to_come: What the run would create before.
    """
    client, given = after.destination.client, [item.relationship for item in items]
    beside = read_beside(client, given)
    absent = absent_ends(client, given).difference(to_come)
    return [_line(item, beside, absent) for item in items]


def to_come(after: AfterSlices) -> Iterator[Ref]:
    """Yield what the slices of a dry run would create."""
    for piece in after.slices():
        path = after.workspace.planned(piece.slice)
        if path.is_file():
            rows = pq.read_table(
                path, columns=["kind", "uid"], filters=[("action", "=", "created")]
            )
            yield from map(Ref, rows["kind"].to_pylist(), rows["uid"].to_pylist())


def _line(item: ToSend, beside: Sequence[Relationship], absent: Collection[Ref]) -> Entry:
    each, there = item.relationship, item.entry.but(code=None, known=False)
    if each.uid in {other.uid for other in beside}:
        return there
    alike = sorted(other.uid for other in beside if other.is_like(each))
    if alike:
        return there.but(destination_uid=alike[0])
    if any(end in absent for end in each.ends):
        return refused(item.entry, END_IS_ABSENT)
    return would_be(item.entry, "created")
