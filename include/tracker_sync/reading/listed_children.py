"""The listed children: do the enrollments and events that lists named come with their people?

A nested read leaves out in silence what the account may not see: since 2.42 the list of
children is then empty (tracker-api 2).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.staging.tables import Tables


#: The columns of `plan_slices.TO_READ` that name children, with what they hold.
CHILDREN = {"enrollments": ("ENROLLMENT", "enrollment"), "events": ("EVENT", "event")}

Child = tuple[str, str, str]  # kind, UID, the person it was listed with


@dataclass(frozen=True, slots=True)
class ListedChildren:
    """The children of a slice's people, as Arrow holds them, since there may be many.

    Attributes:
        people: Everybody of the slice, in the order of their UIDs.
        rows: A row for each of them, with the columns of `CHILDREN`.
    """

    people: Sequence[str]
    rows: pa.Table

    def not_returned(self, tables: Tables) -> list[Child]:
        """Return which children of those who came alive came neither alive nor as tombstones.

        Args:
            tables: What came of some people whose UIDs follow one another.
        """
        came = tables["tracked_entities"]
        living = came.filter(pc.invert(came["deleted"]))["trackedEntity"].to_pylist()
        if not living:
            return []
        first = bisect_left(self.people, min(living))
        last = bisect_right(self.people, max(living))
        rows, whose = (
            self.rows.slice(first, last - first),
            pa.array(self.people[first:last], pa.string()),
        )
        named = {name: _flat(rows[name], whose) for name in CHILDREN}
        return [
            (kind, uid, person)
            for name, (kind, key) in CHILDREN.items()
            for uid, person in _lost(named[name], pa.array(living), tables[name][key])
        ]


def _flat(lists: pa.ChunkedArray, whose: pa.Array) -> pa.Table:
    nested = lists.combine_chunks()
    people = whose.take(pc.list_parent_indices(nested))
    return pa.table({"uid": pc.list_flatten(nested), "person": people})


def _lost(named: pa.Table, living: pa.Array, came: pa.ChunkedArray) -> Iterator[tuple[str, str]]:
    theirs = pc.is_in(named["person"], value_set=living)
    lost = named.filter(pc.and_not(theirs, pc.is_in(named["uid"], value_set=came)))
    return zip(lost["uid"].to_pylist(), lost["person"].to_pylist(), strict=True)
