"""A destination that calls things otherwise, and what it holds told in the source's names."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flows.held import Held, Key
from flows.people import CONTACT, FOLLOW_UP, LAST_NAME, MBOUR, PODOR, RUFISQUE, WEIGHT
from flows.world import Server, World
from servers import HIV, PERSON, SENEGAL, SURVEILLANCE
from tracker_sync.mapping.terms import MappingTerms


REGIMENS, DTG = "rGXJBRiGJCF", "TDF_3TC_DTG"

#: Table -> what the destination calls otherwise.
NAMES: Mapping[str, Mapping[str, str]] = {
    "org_units": {uid: f"There{uid[5:]}" for uid in (SENEGAL, RUFISQUE, MBOUR, PODOR)},
    "programs": {uid: f"There{uid[5:]}" for uid in (HIV, SURVEILLANCE)},
    "program_stages": {FOLLOW_UP: "ThereStage1"},
    "tracked_entity_types": {PERSON: "ThereType01"},
    "attributes": {LAST_NAME: "ThereName01"},
    "data_elements": {WEIGHT: "ThereElem01"},
    "relationship_types": {CONTACT: "ThereConta1"},
}
CODES = {DTG: "TLD"}
TERMS = MappingTerms(**NAMES, options={REGIMENS: CODES})  # type: ignore[arg-type]


def rename_at(server: Server) -> None:
    """Let a server have had other names from the beginning; nobody is in it yet."""
    rename(server, {uid: name for table in NAMES.values() for uid, name in table.items()})
    with server.sandbox.store.changing() as connection:
        for before, after in CODES.items():
            connection.execute(
                "UPDATE metadata SET body = REPLACE(body, ?, ?) WHERE class = 'options'",
                (f'"{before}"', f'"{after}"'),
            )


def rename(server: Server, names: Mapping[str, str]) -> None:
    """Give objects of metadata other UIDs, wherever they are named."""
    with server.sandbox.store.changing() as connection:
        for before, after in names.items():
            connection.execute(
                "UPDATE metadata SET uid = REPLACE(uid, ?1, ?2), body = REPLACE(body, ?1, ?2)",
                (before, after),
            )


def differing_but_in_names(world: World) -> dict[Key, object]:
    """Return what the servers hold differently, the source's told in the destination's names."""
    ours, theirs = _renamed(world.source.holds()), _by_text(world.destination.holds())
    assert len(ours) > 5
    return {
        key: (ours.get(key), theirs.get(key))
        for key in sorted(ours.keys() | theirs.keys())
        if ours.get(key) != theirs.get(key)
    }


def _renamed(held: Held) -> dict[Key, str]:
    names = [pair for table in (*NAMES.values(), CODES) for pair in table.items()]
    found = {}
    for key, value in _by_text(held).items():
        text, parts = value, list(key)
        for before, after in names:
            text = text.replace(f'"{before}"', f'"{after}"')
            parts = [after if part == before else part for part in parts]
        found[tuple(parts)] = text
    return found


def _by_text(held: Held) -> dict[Key, str]:
    return {key: json.dumps(value, default=str, sort_keys=True) for key, value in held.items()}
