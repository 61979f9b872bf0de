"""Living there: who of some people lives at the destination, and what have they of an attribute?"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from dhis2_api.export import MOST_UIDS
from tracker_sync.bundling.projection import Projection
from tracker_sync.planning.objects import Tree, as_bundles, trees_of
from tracker_sync.reading.people import read_people
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.staging.tables import flatten


def people_at(after: AfterSlices, people: Collection[str]) -> Iterator[Tree]:
    """Yield those of *people* who live at the destination, as it holds them, by their UIDs."""
    projection = Projection.of(after.model)
    for batch in read_people(after.destination.client, sorted(people), MOST_UIDS):
        tables = flatten(batch.rows, after.destination.programs)
        trees = trees_of(as_bundles(tables, projection))
        living = [tree for tree in trees if not tree.objects[0].deleted]
        yield from sorted(living, key=lambda tree: tree.uid)


def value_of(person: Tree, attribute: str) -> str | None:
    """Return what a person has of an attribute, also of one that only a program shows."""
    contents = (json.loads(item.content or "{}") for item in person.objects)
    rows = (row for content in contents for row in content.get("attributes") or ())
    return next((str(row["value"]) for row in rows if row["attribute"] == attribute), None)
