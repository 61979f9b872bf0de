"""The model: what the moving of data has to know about the metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


Uids = frozenset[str]


@dataclass(frozen=True, slots=True)
class OrgUnit:
    """An org unit's name, and its path from the top: `/UID/UID/...`."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Model:
    """What the data needs to know.

    Attributes:
        hash: Of all metadata of the closure, at the source and at the destination, so
            that a refusal is tried again when either side changed.
        tracked_entity_types: Program -> type of its tracked entities.
        event_programs: Program without registration -> its name.
        related: The programs, stages and types that a relationship type may join.
        type_attributes: Type -> attributes, without confidential ones.
        program_attributes: Program -> attributes, without confidential ones.
        stage_elements: Program stage -> data elements.
        confidential: The confidential attributes, whose absence says nothing.
        org_units: Those under the roots, and their ancestors, by UID.
        files: The attributes and data elements whose values name a file, each with its value
            type: `FILE_RESOURCE` or `IMAGE`.
        value_types: Attribute or data element -> type of its values.
        option_sets: Attribute or data element -> its option set.
        option_combos: The source's default option combination -> the destination's.
        unique: The attributes whose value one person alone may have, each with whether that
            is so within an org unit only.
        no_assignee: The program stages whose events are assigned to nobody: the destination
            ignores a user there (E1120).
        enrolled_options: Whether the destination has category options of enrollments.
        relationship_types: Those between people of the route.
        unnamed: The rules, rule variables and indicators of the programs, by class: no
            reference shows that one of them is lost.
    """

    hash: str
    tracked_entity_types: Mapping[str, str]
    event_programs: Mapping[str, str]
    related: Uids
    type_attributes: Mapping[str, Uids]
    program_attributes: Mapping[str, Uids]
    stage_elements: Mapping[str, Uids]
    confidential: Uids
    org_units: Mapping[str, OrgUnit]
    files: Mapping[str, str] = field(default_factory=dict)
    value_types: Mapping[str, str] = field(default_factory=dict)
    option_sets: Mapping[str, str] = field(default_factory=dict)
    option_combos: Mapping[str, str] = field(default_factory=dict)
    unique: Mapping[str, bool] = field(default_factory=dict)
    no_assignee: Uids = frozenset()
    enrolled_options: bool = True
    relationship_types: Uids = frozenset()
    unnamed: Mapping[str, Uids] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the model as text, equal for equal models."""
        units = {uid: [unit.name, unit.path] for uid, unit in self.org_units.items()}
        return json.dumps(
            {
                "hash": self.hash,
                "tracked_entity_types": dict(self.tracked_entity_types),
                "event_programs": dict(self.event_programs),
                "related": sorted(self.related),
                "type_attributes": _lists(self.type_attributes),
                "program_attributes": _lists(self.program_attributes),
                "stage_elements": _lists(self.stage_elements),
                "confidential": sorted(self.confidential),
                "org_units": units,
                "files": dict(self.files),
                "value_types": dict(self.value_types),
                "option_sets": dict(self.option_sets),
                "option_combos": dict(self.option_combos),
                "unique": dict(self.unique),
                "no_assignee": sorted(self.no_assignee),
                "enrolled_options": self.enrolled_options,
                "relationship_types": sorted(self.relationship_types),
                "unnamed": _lists(self.unnamed),
            },
            sort_keys=True,
            ensure_ascii=False,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the model in a run's file, in the source's names."""
        return cls.from_json(path.read_text(encoding="utf-8"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the model that `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)
        return cls(
            read["hash"],
            read["tracked_entity_types"],
            read["event_programs"],
            frozenset(read["related"]),
            _sets(read["type_attributes"]),
            _sets(read["program_attributes"]),
            _sets(read["stage_elements"]),
            frozenset(read["confidential"]),
            {uid: OrgUnit(name, path) for uid, (name, path) in read["org_units"].items()},
            read["files"],
            read["value_types"],
            read["option_sets"],
            read["option_combos"],
            read["unique"],
            frozenset(read["no_assignee"]),
            read["enrolled_options"],
            frozenset(read["relationship_types"]),
            _sets(read["unnamed"]),
        )


def _lists(sets: Mapping[str, Uids]) -> dict[str, list[str]]:
    return {key: sorted(uids) for key, uids in sets.items()}


def _sets(lists: Mapping[str, Iterable[str]]) -> dict[str, Uids]:
    return {key: frozenset(uids) for key, uids in lists.items()}
