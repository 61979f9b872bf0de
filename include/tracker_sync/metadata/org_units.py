"""The org units: which ones does a route reach?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import PAGE, Fields, read_objects, read_pages
from dhis2_api.metadata_classes import Asked


@dataclass(frozen=True, slots=True)
class Scope:
    """What lies under the roots of a route.

    Attributes:
        reached: The UIDs of the roots and all below them.
        objects: The org units reached and their ancestors, by UID.
    """

    reached: frozenset[str]
    objects: dict[str, Fields]

    def within(self) -> list[Fields]:
        """Return the org units reached, without those above them."""
        return [fields for uid, fields in self.objects.items() if uid in self.reached]


def subtree_of(roots: Collection[str], assigned: int) -> list[Asked]:
    """Return how to ask for the org units together with other classes, or nothing.

    Only one root fits beside other classes, and only a subtree that makes no answer
    of a length that nobody bounds.

    Args:
        roots: The roots of the route.
        assigned: How many org units a program is assigned to: about as many come.
    """
    if len(roots) != 1 or assigned > PAGE:
        return []
    return [Asked("organisationUnits", f"path:like:{next(iter(roots))}")]


def read_subtrees(client: Dhis2Client, roots: Collection[str]) -> list[Fields]:
    """Read the org units under the roots, page by page."""
    return [
        unit
        for root in roots
        for unit in read_pages(client, "organisationUnits", f"path:like:{root}")
    ]


def read_ancestors(client: Dhis2Client, units: Iterable[Fields], roots: Collection[str]) -> Scope:
    """Return the scope of org units that were read, with the ancestors that hold them."""
    found = {unit["id"]: unit for unit in units if not set(roots).isdisjoint(ancestry(unit))}
    above = {uid for unit in found.values() for uid in ancestry(unit)} - found.keys()
    ancestors = {unit["id"]: unit for unit in read_objects(client, "organisationUnits", above)}
    return Scope(frozenset(found), found | ancestors)


def ancestry(unit: Fields) -> list[str]:
    """Return the UIDs on the way from the top to an org unit, itself included."""
    return [uid for uid in str(unit.get("path", "")).split("/") if uid]
