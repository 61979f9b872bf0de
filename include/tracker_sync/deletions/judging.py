"""The judging: which of the deletions that wait may go now, and why the others may not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dhis2_api.importer import Ref
from tracker_sync.deletions.standing import Found, Standing
from tracker_sync.deletions.waiting import EDITED, MORE_BELOW, Copied, Waiting
from tracker_sync.relationships.hanging import Link


ALIVE_AGAIN = "SYNC_DELETE_ALIVE_AGAIN"


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known of some people, or lone events, and of all below them.

    Attributes:
        waiting: What of them waits to be deleted.
        source: What the source has of them now.
        destination: What the destination has of them now.
        copied: What of them was ever copied.
        links: The relationships of all these at the destination.
        keep_edits: Whether what was edited at the destination stays.
        moved_on: Enrollments and relationships that live at the source with somebody else.
    """

    waiting: Mapping[Ref, Waiting]
    source: Standing
    destination: Standing
    copied: Mapping[Ref, Copied]
    links: Mapping[Ref, Link] = field(default_factory=dict)
    keep_edits: bool = False
    moved_on: frozenset[Ref] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to become of each.

    Attributes:
        going: What is to be deleted, with all that its deletion would take along.
        gone: What the destination lacks already.
        stays: What must not be deleted, and why.
    """

    going: dict[Ref, Waiting] = field(default_factory=dict)
    gone: dict[Ref, Waiting] = field(default_factory=dict)
    stays: dict[Ref, tuple[Waiting, str]] = field(default_factory=dict)


def judge(scene: Scene) -> Judged:
    """Judge each deletion that waits, and what hangs below it at the destination.

    Deleting takes along all below (tracker-api 4). So an object goes only if all that lives
    below it at the destination goes too: what was copied from the source, and the source has
    no more. What was entered at the destination, in whatever program, holds all above it; and
    a relationship that was, both its ends. Relationships from the source go with either end.
    """
    judged = Judged()
    for ref, one in scene.waiting.items():
        _judge_alone(scene, judged, ref, one)
    below = _living_below(scene.destination)
    for ref, one in [*judged.going.items()]:
        judged.going.update(_taken_along(scene, below, ref, one))
    _hold_what_others_are_joined_to(scene, judged)
    for kind in ("ENROLLMENT", "TRACKED_ENTITY"):  # from the bottom up
        for ref in [ref for ref in judged.going if ref.kind == kind]:
            if any(child not in judged.going for child in below[ref]):
                judged.stays[ref] = (judged.going.pop(ref), MORE_BELOW)
    for link in scene.links.values():
        theirs = [judged.going[end] for end in link.ends if end in judged.going]
        if theirs and link.read_number is not None and link.ref not in scene.moved_on:
            number = max(theirs[0].read_number, link.read_number)
            judged.going[link.ref] = replace(theirs[0], read_number=number)
    return judged


def _hold_what_others_are_joined_to(scene: Scene, judged: Judged) -> None:
    """Keep what has a relationship that the source did not delete: it would go along."""
    for link in scene.links.values():
        if link.read_number is None or link.ref in scene.moved_on:
            for end in link.ends:
                if end in judged.going:
                    judged.stays[end] = (judged.going.pop(end), MORE_BELOW)


def _judge_alone(scene: Scene, judged: Judged, ref: Ref, one: Waiting) -> None:
    there = scene.destination.get(ref)
    if _lives_here(scene, ref):
        judged.stays[ref] = (one, ALIVE_AGAIN)
    elif ref in scene.links:
        judged.going[ref] = one
    elif there is None or there.deleted:
        judged.gone[ref] = one
    elif _was_edited(scene, ref, there):
        judged.stays[ref] = (one, EDITED)
    else:
        judged.going[ref] = one


def _living_below(standing: Standing) -> Mapping[Ref, list[Ref]]:
    below: defaultdict[Ref, list[Ref]] = defaultdict(list)
    for ref, found in standing.items():
        if found.parent and not found.deleted:
            below[found.parent].append(ref)
    return below


def _taken_along(
    scene: Scene, below: Mapping[Ref, list[Ref]], ref: Ref, one: Waiting
) -> Iterator[tuple[Ref, Waiting]]:
    """Yield what lives below at the destination, was copied, and went with it at the source."""
    for child in below.get(ref, ()):
        copied = scene.copied.get(child)
        if child in scene.waiting or not copied or copied.read_number > one.read_number:
            continue
        if _lives_here(scene, child) or _was_edited(scene, child, scene.destination[child]):
            continue
        yield child, one
        yield from _taken_along(scene, below, child, one)


def _lives_here(scene: Scene, ref: Ref) -> bool:
    """Whether the source has an object alive, be it with somebody else by now."""
    found = scene.source.get(ref)
    return ref in scene.moved_on or (found is not None and not found.deleted)


def _was_edited(scene: Scene, ref: Ref, there: Found) -> bool:
    copied = scene.copied.get(ref)
    if not scene.keep_edits or not copied or not copied.destination_updated_at:
        return False
    return there.updated_at != copied.destination_updated_at
