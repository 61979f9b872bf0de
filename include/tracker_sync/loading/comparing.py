"""The comparing: what does the destination hold of a batch, and what is to become of it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from dhis2_api.export import MOST_UIDS
from tracker_sync.bundling.projection import Projection
from tracker_sync.loading.stamps import by_program
from tracker_sync.planning.foreign import refuse_foreign
from tracker_sync.planning.objects import Tree, as_bundles, trees_of
from tracker_sync.planning.plan import Past, Planned, plan
from tracker_sync.reading.people import read_events, read_people
from tracker_sync.sending.destination import Destination
from tracker_sync.staging.tables import Tables, flatten, flatten_events


def plan_batch(destination: Destination, trees: Sequence[Tree], past: Past) -> list[Planned]:
    """Return what is to become of each object of *trees*, as the destination stands now.

    Raises:
        TransientError: The destination did not answer.
    """
    return planned_against(destination, trees, held_of(destination, trees, past), past)


def planned_against(
    destination: Destination, trees: Sequence[Tree], held: Mapping[str, Tree], past: Past
) -> list[Planned]:
    """Return the same, where it is known what the destination holds."""
    past = replace(past, edits=destination.edits)
    planned = [item for tree in trees for item in plan(tree, held.get(tree.uid), past)]
    return refuse_foreign(destination.client, planned, past.known)


def held_of(destination: Destination, trees: Sequence[Tree], past: Past) -> dict[str, Tree]:
    """Return what the destination holds of *trees*, by UID.

    Raises:
        TransientError: The destination did not answer.
    """
    projection = Projection.of(past.model)
    return {
        tree.uid: tree
        for tables in _tables(destination, trees)
        for tree in trees_of(as_bundles(tables, projection))
    }


def _tables(destination: Destination, trees: Sequence[Tree]) -> Iterator[Tables]:
    client = destination.client
    for program, uids in by_program(trees).items():
        if program:
            found = read_events(client, uids, program, MOST_UIDS)
            yield from (flatten_events(batch.rows) for batch in found if len(batch.rows))
        else:
            people = read_people(client, uids, MOST_UIDS)
            yield from (
                flatten(batch.rows, destination.programs) for batch in people if len(batch.rows)
            )
