"""The scene of deletions: what both servers and the state say now of what waits, read anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dhis2_api.importer import Ref
from tracker_sync.deletions.judging import Scene
from tracker_sync.deletions.moved_on import enrollments_moved_on, relationships_moved_on
from tracker_sync.deletions.standing import Found, read_standing
from tracker_sync.deletions.waiting import Waiting, copied_below, events_of, people_of, roots_of
from tracker_sync.relationships.hanging import Link, links_of
from tracker_sync.runs.after_slices import AfterSlices


def scene_of(after: AfterSlices, waiting: Mapping[Ref, Waiting]) -> Scene:
    """Return what there is to judge deletions by."""
    here, there = read_standing(after.source, roots_of(waiting)), standing_there(after, waiting)
    links = _links(after, waiting)
    moved = enrollments_moved_on(after.source, after.route.programs, here, there)
    return Scene(
        waiting=waiting,
        source=here,
        destination=there,
        copied=copied_below(after.state, people_of(waiting), events_of(waiting)),
        links=links,
        keep_edits=after.route.destination_edits != "overwrite",
        moved_on=frozenset([*moved, *relationships_moved_on(after.source, links.values())]),
    )


def standing_there(after: AfterSlices, waiting: Mapping[Ref, Waiting]) -> dict[Ref, Found]:
    """Return what the destination has by now of those whose deletion waits, and all below."""
    return read_standing(after.destination.client, _roots_there(after, waiting))


def _links(after: AfterSlices, waiting: Mapping[Ref, Waiting]) -> Mapping[Ref, Link]:
    if not after.model.related:
        return {}  # no relationship type joins anything
    return links_of(after.destination.client, after.state, _roots_there(after, waiting))


def _roots_there(
    after: AfterSlices, waiting: Mapping[Ref, Waiting]
) -> Mapping[str, Collection[str]]:
    """Return people and lone events by their program, as the destination calls it."""
    terms, roots = after.route.mapping, roots_of(waiting)
    return {terms.there("programs", program): uids for program, uids in roots.items()}
