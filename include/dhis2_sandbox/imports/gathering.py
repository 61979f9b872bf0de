"""What must be gathered before a request can be judged?"""

import sqlite3
from dataclasses import dataclass

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.imports.binding import text_of
from dhis2_sandbox.imports.kinds import UID_MEMBER, Kind
from dhis2_sandbox.imports.look_up import look_up
from dhis2_sandbox.imports.payload import Bundle
from dhis2_sandbox.imports.situation import Situation, grouped
from dhis2_sandbox.metadata.model import Model


@dataclass(frozen=True, slots=True)
class Rules:
    """The server's side of a judgement."""

    clock: Clock
    dialect: Dialect
    strategy: str


def situation_of(
    connection: sqlite3.Connection, bundle: Bundle, who: tuple[Model, Rights], rules: Rules
) -> Situation:
    """Gather everything by which the objects of a request are judged."""
    model, rights = who
    return Situation(
        bundle=bundle,
        stored=look_up(connection, bundle, model),
        model=model,
        rights=rights,
        clock=rules.clock,
        dialect=rules.dialect,
        strategy=rules.strategy,
        sent={kind: {item[UID_MEMBER[kind]]: item for item in bundle.of(kind)} for kind in Kind},
        entities_by_value=_entities_by_value(bundle, model),
        enrollments_by_entity=grouped(bundle.enrollments, "trackedEntity"),
        events_by_enrollment=grouped(bundle.events, "enrollment"),
    )


def _entities_by_value(bundle: Bundle, model: Model) -> dict[tuple[str, str], frozenset[str]]:
    """Return who carries which unique value in this request."""
    holders: dict[tuple[str, str], frozenset[str]] = {}
    for item in (*bundle.entities, *bundle.enrollments):
        for sent in item.get("attributes") or []:
            value = text_of(sent.get("value"))
            if sent.get("attribute") in model.unique_attributes and value is not None:
                key = (sent["attribute"], value)
                holders[key] = holders.get(key, frozenset()) | {item.get("trackedEntity", "")}
    return holders
