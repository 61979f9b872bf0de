"""The mapped tables: staged rows in the destination's names, and what cannot be said in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.mapping.lookup import Lookup
from tracker_sync.mapping.mapped_values import ATTRIBUTES, DATA_ELEMENTS, Key, Values
from tracker_sync.mapping.reasons import DROPPED, UNMAPPED
from tracker_sync.mapping.terms import MappingTerms, Table
from tracker_sync.metadata.model import Model
from tracker_sync.staging.tables import Tables


@dataclass(frozen=True, slots=True)
class Mapped:
    """Tables in the destination's names.

    Attributes:
        tables: As they were; without the values that are dropped, and without the owners
            and relationships that are not copied.
        refused: What cannot be copied -> why: objects, relationships, and owners
            (`PERSON:PROGRAM`, in the destination's names). What is deleted is never here.
    """

    tables: Tables
    refused: Mapping[Ref, str]


_Known = TypeVar("_Known")


class _Column(NamedTuple):
    name: str
    table: Table
    optional: bool = False  # dropped, the field is left out; else the whole object is


class _Objects(NamedTuple):
    kind: str
    key: str
    columns: tuple[_Column, ...]


_PLACE, _PROGRAM = _Column("orgUnit", "org_units"), _Column("program", "programs")
_TYPE = _Column("trackedEntityType", "tracked_entity_types")
_RELATED = _Column("relationshipType", "relationship_types")
_OPTIONS = _Column("attributeOptionCombo", "option_combos", optional=True)
_OF_EVENTS = (
    _Column("programStage", "program_stages"),
    _OPTIONS,
    _Column("assignedUser", "users", optional=True),
)
_OBJECTS: Mapping[str, _Objects] = {
    "tracked_entities": _Objects("TRACKED_ENTITY", "trackedEntity", (_PLACE, _TYPE)),
    "enrollments": _Objects("ENROLLMENT", "enrollment", (_PLACE, _PROGRAM, _OPTIONS)),
    "events": _Objects("EVENT", "event", (_PLACE, _PROGRAM, *_OF_EVENTS)),
    "owners": _Objects("OWNER", "trackedEntity", (_PROGRAM, _PLACE)),
    "relationships": _Objects("RELATIONSHIP", "relationship", (_RELATED,)),
}
_VALUES: Mapping[str, Key] = {"attributes": ATTRIBUTES, "data_values": DATA_ELEMENTS}


def map_tables(tables: Tables, terms: MappingTerms, model: Model) -> Mapped:
    """Return tables in the destination's names.

    Args:
        tables: As they were staged; all of them, or those that are wanted.
        terms: The route's mapping.
        model: The programs' metadata, in the source's names.
    """
    if not terms.hash and all(here == there for here, there in model.option_combos.items()):
        return Mapped(tables, {})
    refused: dict[Ref, str] = {}
    found = dict(tables)
    for name, objects in _among(_OBJECTS, tables):
        found[name] = _Renaming(objects, terms, model, refused).renamed(tables[name])
    for name, key in _among(_VALUES, tables):
        values = Values(key, tables[name], terms, model)
        found[name] = values.renamed()
        refused = {**values.refused, **refused}
    gone = _deleted(tables) if refused else frozenset()
    return Mapped(found, {ref: code for ref, code in refused.items() if ref not in gone})


def _among(known: Mapping[str, _Known], tables: Tables) -> list[tuple[str, _Known]]:
    return [(name, of) for name, of in known.items() if name in tables]


def _deleted(tables: Tables) -> frozenset[Ref]:
    return frozenset(
        Ref(objects.kind, uid)
        for name, objects in _among(_OBJECTS, tables)
        if "deleted" in tables[name].column_names
        for uid in tables[name].filter(tables[name]["deleted"])[objects.key].to_pylist()
    )


@dataclass(slots=True)
class _Renaming:
    """How the rows of one kind of object are renamed."""

    objects: _Objects
    terms: MappingTerms
    model: Model
    refused: dict[Ref, str] = field(default_factory=dict)

    def renamed(self, rows: pa.Table) -> pa.Table:
        for column in self.objects.columns:
            lookup = self._lookup(column.table)
            if not lookup.is_identity:
                rows = self._column(rows, column, lookup)
        return rows

    def _column(self, rows: pa.Table, column: _Column, lookup: Lookup) -> pa.Table:
        before = rows[column.name]
        renamed = lookup.rename(before)
        values = renamed.values if column.optional else pc.coalesce(renamed.values, before)
        index = rows.column_names.index(column.name)
        rows = rows.set_column(index, rows.schema.field(column.name), values)
        bad = renamed.unmapped
        self._refuse(rows.filter(renamed.unmapped), UNMAPPED[column.table])
        if not column.optional:
            self._refuse(rows.filter(renamed.dropped), DROPPED)
            bad = pc.or_(bad, renamed.dropped)
        # An object stays, so that it is accounted for; owners and relationships are not objects.
        return rows if "deleted" in rows.column_names else rows.filter(pc.invert(bad))

    def _lookup(self, name: Table) -> Lookup:
        table = self.terms.table(name)
        if name == "option_combos":  # each server has a default one of its own
            table = {**self.model.option_combos, **table}
        return Lookup.of(table, closed=name in self.terms.closed)

    def _refuse(self, rows: pa.Table, code: str) -> None:
        uids = rows[self.objects.key].to_pylist()
        if self.objects.kind == "OWNER":  # of a person in a program, which is renamed by now
            uids = [
                f"{uid}:{of}" for uid, of in zip(uids, rows["program"].to_pylist(), strict=True)
            ]
        for uid in uids:
            self.refused.setdefault(Ref(self.objects.kind, uid), code)
