"""The mapped values: attributes and data elements renamed, and the names that values hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.mapping.lookup import Lookup
from tracker_sync.mapping.reasons import MAPPED_TWICE, UNMAPPED
from tracker_sync.mapping.terms import DROP, MappingTerms, Table
from tracker_sync.metadata.model import Model


_OWNERS = (("event", "EVENT"), ("enrollment", "ENROLLMENT"), ("trackedEntity", "TRACKED_ENTITY"))
# Value types whose values are names of metadata or people (tracker-api 6).
_NAMED: tuple[tuple[str, Table], ...] = (("ORGANISATION_UNIT", "org_units"), ("USERNAME", "users"))


class Key(NamedTuple):
    """What names the values of a table: its column, and the table of the mapping for it."""

    column: str
    table: Table


ATTRIBUTES, DATA_ELEMENTS = Key("attribute", "attributes"), Key("dataElement", "data_elements")


class _Names(NamedTuple):
    """What the values of some attributes or data elements are names of."""

    of: Collection[str]
    table: Table
    lookup: Lookup
    several: bool = False


@dataclass(slots=True)
class Values:
    """One of the two tables of values, while it is renamed.

    Attributes:
        key: What names its values.
        rows: Its rows.
        terms: The route's mapping.
        model: The programs' metadata, in the source's names.
        refused: Objects with a value that cannot be copied -> why.
    """

    key: Key
    rows: pa.Table
    terms: MappingTerms
    model: Model
    refused: dict[Ref, str] = field(default_factory=dict)

    def renamed(self) -> pa.Table:
        """Return the rows in the destination's names, without what is dropped."""
        column, table = self.key
        self._drop(self._in(self._dropped_keys()))
        for names in self._names():
            self._rename_values(names)
        lookup = self._lookup(table)
        if not lookup.is_identity:
            renamed = lookup.rename(self.rows[column])
            self._refuse(pc.and_(renamed.unmapped, self._judged()), UNMAPPED[table])
            self._set(column, renamed.values)
        if table in self.terms.merge:
            self._one_value_each()
        return self.rows

    def _dropped_keys(self) -> list[str]:
        return [uid for uid, to in self.terms.table(self.key.table).items() if to == DROP]

    def _lookup(self, table: Table) -> Lookup:
        return Lookup.of(self.terms.table(table), closed=table in self.terms.closed)

    def _names(self) -> Iterator[_Names]:
        types = self.model.value_types
        for value_type, table in _NAMED:
            of = [uid for uid, found in types.items() if found == value_type]
            yield _Names(of, table, self._lookup(table))
        for option_set, codes in self.terms.options.items():
            lookup = Lookup.of(codes, closed="options" in self.terms.closed)
            of = [uid for uid, found in self.model.option_sets.items() if found == option_set]
            several = [uid for uid in of if types.get(uid) == "MULTI_TEXT"]
            yield _Names({*of}.difference(several), "options", lookup)
            yield _Names(several, "options", lookup, several=True)

    def _rename_values(self, names: _Names) -> None:
        if names.lookup.is_identity or not names.of:
            return
        here = self._in(names.of)
        values = pc.if_else(here, self.rows["value"], pa.scalar(None, pa.string()))
        lookup = names.lookup
        renamed = lookup.rename_each(values) if names.several else lookup.rename(values)
        self._refuse(pc.and_(renamed.unmapped, self._judged()), UNMAPPED[names.table])
        self._set("value", pc.if_else(here, renamed.values, self.rows["value"]))
        self._drop(renamed.dropped)

    def _one_value_each(self) -> None:
        """Keep one of equal values that became one; objects with others are refused."""
        keys = [name for name in self.rows.column_names if name not in _VALUE]
        numbered = self.rows.append_column("row", pa.array(range(self.rows.num_rows), pa.int64()))
        found = numbered.group_by(keys, use_threads=False).aggregate(
            [("value", "count_distinct"), ("row", "min")]
        )
        self._refuse_rows(found.filter(pc.greater(found["value_count_distinct"], 1)), MAPPED_TWICE)
        self.rows = self.rows.take(found["row_min"])

    def _judged(self) -> pa.ChunkedArray:
        """Whether an object is refused for a row's sake: not for what is no value of its own.

        Older servers list a person's attributes of all programs beside its type's.
        """
        if self.key is DATA_ELEMENTS:
            return pc.is_valid(self.rows["event"])
        own = self.model.confidential.union(*self.model.type_attributes.values())
        return pc.or_(pc.is_valid(self.rows["enrollment"]), self._in(own))

    def _in(self, uids: Collection[str]) -> pa.ChunkedArray:
        return pc.is_in(self.rows[self.key.column], value_set=pa.array([*uids], pa.string()))

    def _set(self, name: str, values: pa.ChunkedArray) -> None:
        index = self.rows.column_names.index(name)
        self.rows = self.rows.set_column(index, self.rows.schema.field(name), values)

    def _drop(self, which: pa.ChunkedArray) -> None:
        self.rows = self.rows.filter(pc.invert(which))

    def _refuse(self, which: pa.ChunkedArray, code: str) -> None:
        self._refuse_rows(self.rows.filter(which), code)

    def _refuse_rows(self, rows: pa.Table, code: str) -> None:
        names = [(name, kind) for name, kind in _OWNERS if name in rows.column_names]
        columns = zip(*(rows[name].to_pylist() for name, _ in names), strict=True)
        for uids in columns:
            of_whom = next(
                Ref(kind, uid) for (_, kind), uid in zip(names, uids, strict=True) if uid
            )
            self.refused.setdefault(of_whom, code)


_VALUE = ("value", "providedElsewhere")
