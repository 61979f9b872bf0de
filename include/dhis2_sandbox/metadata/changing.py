"""How is a change of metadata stored so that everything still hangs together?"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.metadata.classes import CHILD_LISTS, CLASSES, PARTS, ChildList
from dhis2_sandbox.metadata.links import (
    Completed,
    completed_children,
    completed_parents,
    named_attributes,
    placed_options,
    placed_units,
)
from dhis2_sandbox.metadata.references import without_reference
from dhis2_sandbox.metadata.store import Members, MetadataStore


@dataclass(frozen=True, slots=True)
class Change:
    """One transaction that changes metadata."""

    store: MetadataStore
    connection: sqlite3.Connection
    dialect: Dialect
    _let_go: list[tuple[ChildList, str, str]] = field(default_factory=list)

    def put(self, plural: str, item: Members) -> None:
        """Store an object, and note what its lists do not name any longer."""
        before = self.store.current().get(plural, item["id"]) or {}
        self.store.put(self.connection, plural, [item])
        for family in CHILD_LISTS:
            if family.parents == plural and family.orphans != "stay":
                listed = {child["id"] for child in item.get(family.member, [])}
                gone = [c["id"] for c in before.get(family.member, []) if c["id"] not in listed]
                self._let_go.extend((family, item["id"], child) for child in gone)

    def remove(self, plural: str, uid: str) -> None:
        """Delete an object with its parts, and forget it in the lists of others."""
        self.store.remove(self.connection, plural, uid)
        self.store.refresh()
        for parts, back in PARTS.get(plural, ()):
            for part in self.store.current().all(parts):
                if (part.get(back) or {}).get("id") == uid:
                    self.remove(parts, part["id"])
        for other, kind in CLASSES.items():
            paths = [path.split(".") for path, to in kind.references.items() if to == plural]
            for item in self.store.current().all(other) if paths else ():
                rest = item
                for path in paths:
                    rest = without_reference(rest, path, uid)
                if rest != item:
                    self.store.put(self.connection, other, [rest])

    def complete(self) -> None:
        """Bring what follows from other objects up to date."""
        self.store.refresh()
        for family, parent, child in self._let_go:
            self._release(family, parent, child)
        self.store.refresh()
        self._put(placed_units(self.store.current()))
        for family in [family for family in CHILD_LISTS if family.back is not None]:
            self._put(completed_parents(self.store.current(), family))
            self._put(completed_children(self.store.current(), family))
        self._put(placed_options(self.store.current(), self.dialect.first_option))
        self._put(named_attributes(self.store.current()))

    def _put(self, found: Iterable[Completed]) -> None:
        for entry in list(found):
            self.store.put(self.connection, entry.plural, [entry.item])
        self.store.refresh()

    def _release(self, family: ChildList, parent: str, uid: str) -> None:
        """Do with a child that its parent no longer lists what DHIS2 does (metadata 3)."""
        child = self.store.current().get(family.children, uid)
        if child is None:
            return
        if family.back is not None and (child.get(family.back) or {}).get("id") != parent:
            return
        if family.orphans == "deleted":
            self.remove(family.children, uid)
        elif family.back is not None:
            alone = {name: value for name, value in child.items() if name != family.back}
            self.store.put(self.connection, family.children, [alone])
