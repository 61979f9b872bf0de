"""The terms of a mapping: which tables a route gives, and what they may say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tracker_sync.strict_terms import Strict, Uid


#: As a target: the value, the field or the object is left out.
DROP = "drop"

_UidOrDrop = Annotated[str, Field(pattern=rf"^([A-Za-z][A-Za-z0-9]{{10}}|{DROP})$")]
_Text = Annotated[str, Field(min_length=1)]

_Droppable = Literal[
    "program_stages",
    "attributes",
    "data_elements",
    "option_combos",
    "relationship_types",
    "users",
    "options",
]
# Never `programs`: a person has one owner in a program, and two would have to become one.
_Mergeable = Literal[_Droppable, "org_units", "tracked_entity_types"]
Table = Literal[_Mergeable, "programs"]

#: The tables whose sources and targets are objects of metadata -> their class.
PLURALS: Mapping[Table, str] = {
    "org_units": "organisationUnits",
    "programs": "programs",
    "program_stages": "programStages",
    "tracked_entity_types": "trackedEntityTypes",
    "attributes": "trackedEntityAttributes",
    "data_elements": "dataElements",
    "option_combos": "categoryOptionCombos",
    "relationship_types": "relationshipTypes",
}
TABLES: tuple[Table, ...] = (*PLURALS, "users", "options")


class MappingTerms(Strict):
    """The tables of a route: what the source calls so -> what the destination calls it.

    What stands in no table is called the same on both sides. A target `drop` leaves it out.

    Attributes:
        org_units: UIDs; of values that are org units too.
        programs: UIDs.
        program_stages: UIDs; `drop` holds the events.
        tracked_entity_types: UIDs.
        attributes: UIDs.
        data_elements: UIDs.
        option_combos: UIDs of the attribute option combos of events.
        relationship_types: UIDs; `drop` holds the relationships.
        users: Usernames, of those events are assigned to and of values that are users.
        options: Option set of the source -> its codes.
        merge: Tables in which two sources may have one target.
        closed: Tables outside of which nothing is copied: what they do not name is refused.
    """

    org_units: Mapping[Uid, Uid] = Field(default_factory=dict)
    programs: Mapping[Uid, Uid] = Field(default_factory=dict)
    program_stages: Mapping[Uid, _UidOrDrop] = Field(default_factory=dict)
    tracked_entity_types: Mapping[Uid, Uid] = Field(default_factory=dict)
    attributes: Mapping[Uid, _UidOrDrop] = Field(default_factory=dict)
    data_elements: Mapping[Uid, _UidOrDrop] = Field(default_factory=dict)
    option_combos: Mapping[Uid, _UidOrDrop] = Field(default_factory=dict)
    relationship_types: Mapping[Uid, _UidOrDrop] = Field(default_factory=dict)
    users: Mapping[_Text, _Text] = Field(default_factory=dict)
    options: Mapping[Uid, Mapping[_Text, _Text]] = Field(default_factory=dict)
    merge: frozenset[_Mergeable] = frozenset()
    closed: frozenset[Table] = frozenset()

    @model_validator(mode="after")
    def _one_source_a_target(self) -> Self:
        for name, table in self._all_tables():
            two = _two_onto_one(table)
            if two and name not in self.merge:
                meant = f"write `merge: [{name}]` if so meant"
                remedy = "which programs cannot" if name == "programs" else meant
                both = f"`{name}`: {two[0]} and {two[1]} both become {table[two[0]]}"
                raise ValueError(f"{both}; {remedy}")
        return self

    def table(self, name: Table) -> Mapping[str, str]:
        """Return a table of UIDs or usernames."""
        found: Mapping[str, str] = getattr(self, name)
        return found

    def there(self, name: Table, uid: str) -> str:
        """Return what the destination calls what the source calls *uid*."""
        return self.table(name).get(uid, uid)

    def uids(self) -> dict[str, str]:
        """Return the UIDs of all objects of metadata that the destination has of its own."""
        pairs = [pair for name in PLURALS for pair in self.table(name).items()]
        return {**{uid: uid for uid in self.options}, **{a: b for a, b in pairs if b != DROP}}

    @property
    def hash(self) -> str:
        """Of all that is said, in whatever order; empty if nothing is."""
        said = self.model_dump(mode="json", exclude_defaults=True)
        said |= {name: sorted(said[name]) for name in ("merge", "closed") if name in said}
        text = json.dumps(said, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16] if said else ""

    def _all_tables(self) -> Iterator[tuple[Table, Mapping[str, str]]]:
        yield from ((name, self.table(name)) for name in TABLES if name != "options")
        yield from (("options", codes) for codes in self.options.values())


def _two_onto_one(table: Mapping[str, str]) -> tuple[str, str] | None:
    first: dict[str, str] = {}
    for source, target in table.items():
        if target != DROP and first.setdefault(target, source) != source:
            return first[target], source
    return None


#: A mapping that says nothing.
SAME_NAMES = MappingTerms()
