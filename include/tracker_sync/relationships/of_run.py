"""What a run has read of relationships: which ones, and whose would have come if they had any."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pyarrow.compute as pc

from tracker_sync.reading.relations import may_be_related
from tracker_sync.relationships.link import Relationship, relationships_in
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.loaded_slices import Basis
from tracker_sync.staging.tables import Tables


_TABLE = "relationships"

# Who may have any is seen by these.
_READ = ("tracked_entities", "enrollments", "events")


@dataclass(frozen=True, slots=True)
class Met:
    """A relationship that came.

    Attributes:
        relationship: What it is.
        basis: What a line about it rests on.
        superseded: Whether whom it was read with is known from a later read already.
        code: Why the mapping does not let it pass, if it doesn't.
    """

    relationship: Relationship
    basis: Basis
    superseded: bool = False
    code: str | None = None


@dataclass(slots=True)
class ReadRelationships:
    """All slices' relationships; of one that several slices read, the latest read.

    Attributes:
        met: By UID.
        roots: People, and events without registration, whose relationships were read -> the
            number of that read.
        buried: Those of them that came as tombstones, likewise.
    """

    met: dict[str, Met] = field(default_factory=dict)
    roots: dict[str, int] = field(default_factory=dict)
    buried: dict[str, int] = field(default_factory=dict)

    def add(self, met: Met) -> None:
        """Add a relationship unless a later read has brought it."""
        uid = met.relationship.uid
        if uid not in self.met or _rank(self.met[uid]) < _rank(met):
            self.met[uid] = met


def read_by_slices(after: AfterSlices) -> ReadRelationships:
    """Return what the loaded slices of a run have read of relationships.

    Raises:
        DamagedPackage: A staged file is not what was written.
    """
    read = ReadRelationships()
    for loaded in after.loaded():
        basis, older = loaded.basis, after.superseded(loaded.piece)
        not_read = frozenset(loaded.staged.notes["relationships_not_read"])
        groups = zip(
            after.staged_tables(loaded, *_READ, _TABLE),
            loaded.staged.row_groups(_TABLE),
            strict=True,
        )
        for mapped, as_staged in groups:
            asked = {*may_be_related(mapped.tables, after.model.related)} - not_read
            _add_asked(read, basis, mapped.tables, asked)
            for each in relationships_in(mapped.tables[_TABLE]):
                read.add(_met(each, basis, older))
            for each in relationships_in(as_staged[_TABLE]):
                if each.ref in mapped.refused:
                    met = _met(each, basis, older)
                    read.add(replace(met, code=mapped.refused[each.ref]))
    return read


def _add_asked(read: ReadRelationships, basis: Basis, tables: Tables, asked: set[str]) -> None:
    name, key = ("events", "event") if basis.program else ("tracked_entities", "trackedEntity")
    deleted = tables[name].filter(pc.fill_null(tables[name]["deleted"], fill_value=False))
    read.roots |= dict.fromkeys(asked, basis.read_number)
    read.buried |= dict.fromkeys(deleted[key].to_pylist(), basis.read_number)


def _met(each: Relationship, basis: Basis, older: frozenset[str]) -> Met:
    if each.tracked_entity and basis.program:
        basis = Basis(basis.read_number)
    roots = {each.under} if each.under else {end.uid for end in each.ends}
    return Met(each, basis, superseded=not older.isdisjoint(roots))


def _rank(met: Met) -> tuple[bool, int]:
    return not met.superseded, met.basis.read_number
