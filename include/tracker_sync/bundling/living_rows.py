"""Living rows: each staged object once, and whether it lives."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.bundling.json_text import canonical_geometry
from tracker_sync.staging.columns import column, replaced
from tracker_sync.staging.tables import Tables


def living_rows(tables: Tables) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return people, enrollments and events; what stands below something deleted is deleted.

    DHIS2 takes an event for a deleted enrollment, and nobody will see it (measured: Flows).
    """
    people = _readable(tables["tracked_entities"], "trackedEntity")
    enrollments = _readable(tables["enrollments"], "enrollment")
    events = _readable(tables["events"], "event")
    enrollments = _buried(enrollments, "trackedEntity", people)
    events = _buried(_buried(events, "trackedEntity", people), "enrollment", enrollments)
    return people, enrollments, events


def _readable(rows: pa.Table, key: str) -> pa.Table:
    """Return each object once, with a canonical geometry, and with `deleted` set."""
    rows = _once_each(rows, key)
    rows = replaced(rows, "geometry", canonical_geometry(column(rows, "geometry")))
    return replaced(rows, "deleted", pc.fill_null(column(rows, "deleted"), fill_value=False))


def _buried(rows: pa.Table, key: str, above: pa.Table) -> pa.Table:
    gone = column(above.filter(above["deleted"]), key)
    return replaced(rows, "deleted", pc.or_(rows["deleted"], pc.is_in(rows[key], value_set=gone)))


def _once_each(rows: pa.Table, key: str) -> pa.Table:
    """Return rows without those of a UID that has a newer stamp, or came again later.

    Twice in one request, 2.43 loses the request (measured: Flows).
    """
    if pc.count_distinct(rows[key]).as_py() == len(rows):
        return rows
    order = pc.sort_indices(rows, [(key, "ascending"), ("updatedAt", "ascending")])
    uids = rows[key].take(order).combine_chunks()
    last = np.append(pc.not_equal(uids[1:], uids[:-1]).to_numpy(zero_copy_only=False), True)
    return rows.take(np.sort(order.to_numpy()[last]))
