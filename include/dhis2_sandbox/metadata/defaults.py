"""Which are the server's own default category objects?

A server finds its own by their name (metadata 2.5); their UIDs are the usual ones, but for servers
that are older than these.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.metadata.schema import Schema
from dhis2_sandbox.metadata.store import Members, Metadata


_CLASSES = ("categoryOptions", "categories", "categoryCombos", "categoryOptionCombos")
_NAME = "default"


@dataclass(frozen=True, slots=True)
class Defaults:
    """The default objects of a server by class."""

    uids: Mapping[str, str]

    def without(self, plural: str, items: list[Members]) -> list[Members]:
        """Return a payload's objects without the server's own default, which no import changes."""
        own = self.uids.get(plural)
        return [item for item in items if own is None or item.get("id") != own]

    def left_out(self, plural: str, view: Members) -> Members:
        """Return an object without references to defaults; of a default itself nothing is left.

        Only the object's own members lose them, not what is inside (metadata 1.2).
        """
        own = set(self.uids.values())
        if view.get("id") in own and view["id"] == self.uids.get(plural):
            return {}
        return {
            name: value
            for name, value in view.items()
            if not (isinstance(value, dict) and value.get("id") in own)
        }

    def bound(self, schema: Schema, plural: str, item: Members) -> Members:
        """Return the object with the defaults where it names nothing."""
        missing = {
            member: {"id": self.uids[kind]}
            for member, kind in schema.defaults(plural).items()
            if not item.get(member) and kind in self.uids
        }
        return item | missing


def defaults_of(metadata: Metadata) -> Defaults:
    """Find the default objects."""
    found: dict[str, Any] = {}
    for plural in _CLASSES:
        for item in metadata.all(plural):
            if item.get("name") == _NAME:
                found.setdefault(plural, item["id"])
    return Defaults(found)
