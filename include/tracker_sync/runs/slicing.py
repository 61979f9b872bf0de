"""The slices: which people or events are one task's work, and what that task is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tracker_sync.metadata.model import Model, OrgUnit
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


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where people or events come from.

    Attributes:
        program: The program without registration; empty for people.
        org_unit: Where it happened, or they are registered; empty if nobody knows.
    """

    program: str
    org_unit: str


@dataclass(frozen=True, slots=True)
class _Branch:
    program: str
    top: str

    @property
    def slice(self) -> str:
        return f"{self.program}-{self.top}" if self.program else self.top


def divide(
    origins: Mapping[Origin, int], model: Model, slices: Slices
) -> tuple[dict[Origin, str], list[Slice]]:
    """Give each origin to exactly one slice.

    Args:
        origins: Origin -> how many are to be read from there.
        model: The org units of the route, and its programs without registration.
        slices: The level of the branches, and how many slices there may be; with more of
            them the level above is taken, until they are few enough. Never fewer than one
            for people and one for each program without registration.

    Returns:
        Origin -> slice, `elsewhere` outside the route's roots; and the slices in the order
        of the tree, people first, but the smallest of people's before all: nothing can be
        loaded until one is read.
    """
    branches = _branches(origins, model.org_units, slices)
    to_read: Counter[_Branch] = Counter()
    for origin, branch in branches.items():
        to_read[branch] += origins[origin]
    pieces = [
        Slice(branch.slice, _name(branch, model), to_read[branch], branch.program)
        for branch in sorted(to_read, key=lambda at: _place(at, model))
    ]
    smallest = min(pieces, key=lambda piece: (bool(piece.program), piece.to_read), default=None)
    pieces.sort(key=lambda piece: piece is not smallest)
    return {origin: branch.slice for origin, branch in branches.items()}, pieces


def _branches(
    origins: Iterable[Origin], places: Mapping[str, OrgUnit], slices: Slices
) -> dict[Origin, _Branch]:
    for level in range(slices.level, 0, -1):
        found = {at: _Branch(at.program, _top(places.get(at.org_unit), level)) for at in origins}
        if len(set(found.values())) <= slices.most:
            return found
    return {origin: _Branch(origin.program, ELSEWHERE) for origin in origins}


def _top(place: OrgUnit | None, level: int) -> str:
    if place is None:
        return ELSEWHERE
    path = place.path.strip("/").split("/")
    return path[min(level, len(path)) - 1]


def _name(branch: _Branch, model: Model) -> str:
    place = model.org_units.get(branch.top)
    if not branch.program:
        return place.name if place else "Registered elsewhere"
    return f"{model.event_programs[branch.program]} · {place.name if place else 'elsewhere'}"


def _place(branch: _Branch, model: Model) -> tuple[str, str]:
    place = model.org_units.get(branch.top)
    program = branch.program and f"{model.event_programs[branch.program]} {branch.program}"
    return program, place.path if place else "~"
