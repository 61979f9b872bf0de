"""The slices: which people or events are one task's work, and what that task is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tracker_sync.metadata.model import OrgUnit
from tracker_sync.route import Slices


ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Slice:
    """The people registered in one branch of the org-unit tree, or the events of a program.

    Attributes:
        slice: The UID of the branch's top, which names files; or `elsewhere`. For events
            of a program without registration the program's UID stands before it.
        name: The name of that org unit, which labels the task.
        to_read: How many people or events are to be read.
        program: The program without registration whose events they are; empty for people.
    """

    slice: str
    name: str
    to_read: int
    program: str = ""


def slice_of_each(
    registered: Mapping[str, str | None], places: Mapping[str, OrgUnit], slices: Slices
) -> dict[str, str]:
    """Give each person to exactly one slice.

    Args:
        registered: Tracked entity -> registration org unit, if anybody knows it.
        places: The org units of the route.
        slices: The level of the branches, and how many there may be; with more of
            them the level above is taken, until they are few enough.

    Returns:
        Tracked entity -> slice; `elsewhere` for people registered outside the route's roots.
    """
    for level in range(slices.level, 0, -1):
        found = {uid: _branch(places.get(unit or ""), level) for uid, unit in registered.items()}
        if len(set(found.values())) <= slices.most:
            return found
    return dict.fromkeys(registered, ELSEWHERE)


def describe(slice_of: Mapping[str, str], places: Mapping[str, OrgUnit]) -> list[Slice]:
    """Return the slices of a run, in the order of the tree."""
    people = Counter(slice_of.values())
    order = sorted(people, key=lambda uid: places[uid].path if uid in places else "~")
    return [
        Slice(uid, places[uid].name if uid in places else "Registered elsewhere", people[uid])
        for uid in order
    ]


def _branch(place: OrgUnit | None, level: int) -> str:
    if place is None:
        return ELSEWHERE
    path = place.path.strip("/").split("/")
    return path[min(level, len(path)) - 1]
