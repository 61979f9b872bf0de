"""The org units: which ones does a route reach?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import Fields, read_class, read_objects


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


def read_scope(client: Dhis2Client, roots: Collection[str]) -> Scope:
    """Read the org units under the roots, and the ancestors that hold them."""
    found = {
        unit["id"]: unit
        for root in roots
        for unit in read_class(client, "organisationUnits", f"path:like:{root}")
        if root in ancestry(unit)
    }
    above = {uid for unit in found.values() for uid in ancestry(unit)} - found.keys()
    ancestors = {unit["id"]: unit for unit in read_objects(client, "organisationUnits", above)}
    return Scope(frozenset(found), found | ancestors)


def ancestry(unit: Fields) -> list[str]:
    """Return the UIDs on the way from the top to an org unit, itself included."""
    return [uid for uid in str(unit.get("path", "")).split("/") if uid]
