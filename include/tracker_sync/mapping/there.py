"""The other side: what do the route and the model look like in the destination's names?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from tracker_sync.mapping.terms import DROP, MappingTerms, Table
from tracker_sync.metadata.model import Model, Uids
from tracker_sync.route import Route


_Value = TypeVar("_Value")


def route_there(route: Route) -> Route:
    """Return a route whose programs and roots are called as the destination calls them."""
    terms = route.mapping
    named = {
        "programs": _each_once(terms.there("programs", uid) for uid in route.programs),
        "org_units": _each_once(terms.there("org_units", uid) for uid in route.org_units),
    }
    return route.model_copy(update=named)


def read_model_there(path: Path, terms: MappingTerms) -> Model:
    """Return the model of a run, in the destination's names."""
    return model_there(Model.read(path), terms)


def model_there(model: Model, terms: MappingTerms) -> Model:
    """Return a model in the destination's names, of what is copied.

    What is dropped or refused is not in it, so that the destination's own is never cleared.
    The org units stay the source's: slices are made of them. Its hash is another with other
    terms, so that what was refused is tried again.
    """
    if not terms.hash:
        return model
    attributes, elements = _Names(terms, "attributes"), _Names(terms, "data_elements")
    programs, types = _Names(terms, "programs"), _Names(terms, "tracked_entity_types")
    stages = _Names(terms, "program_stages")
    return replace(
        model,
        hash=sha256(f"{model.hash} {terms.hash}".encode()).hexdigest(),
        tracked_entity_types={
            programs.name(program): types.name(type_)
            for program, type_ in model.tracked_entity_types.items()
        },
        event_programs={programs.name(uid): name for uid, name in model.event_programs.items()},
        related=frozenset(programs.name(types.name(stages.name(uid))) for uid in model.related),
        type_attributes=_members(model.type_attributes, types, attributes),
        program_attributes=_members(model.program_attributes, programs, attributes),
        stage_elements=_members(model.stage_elements, stages, elements),
        confidential=attributes.names(model.confidential),
        files=_by_name(model.files, attributes, elements),
        value_types=_by_name(model.value_types, attributes, elements),
        option_sets=_by_name(model.option_sets, attributes, elements),
        unique=_by_name(model.unique, attributes, elements),
        no_assignee=stages.names(model.no_assignee),
        relationship_types=_Names(terms, "relationship_types").names(model.relationship_types),
    )


class _Names:
    """What the objects of one table are called at the destination."""

    def __init__(self, terms: MappingTerms, table: Table) -> None:
        self._table = terms.table(table)
        self._closed = table in terms.closed

    def name(self, uid: str) -> str:
        return self._table.get(uid, uid)

    def names(self, uids: Iterable[str]) -> Uids:
        """Return those of *uids* that are copied."""
        copied = (uid for uid in uids if uid in self._table or not self._closed)
        return frozenset(self.name(uid) for uid in copied) - {DROP}


def _members(sets: Mapping[str, Uids], owners: _Names, members: _Names) -> dict[str, Uids]:
    """Return sets by what owns them; of two owners that become one, what both have."""
    found: dict[str, Uids] = {}
    for uid, owned in sets.items():
        there, names = owners.name(uid), members.names(owned)
        found[there] = found.get(there, names) & names
    found.pop(DROP, None)
    return found


def _by_name(of: Mapping[str, _Value], *names: _Names) -> dict[str, _Value]:
    found = dict(of)
    for table in names:
        found = {table.name(uid): value for uid, value in found.items()}
    found.pop(DROP, None)
    return found


def _each_once(uids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(uids))
