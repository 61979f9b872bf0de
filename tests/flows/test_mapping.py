"""A destination that calls org units, programs, elements and codes otherwise gets everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.people import (
    AWA,
    BINTA,
    CONTACT,
    FIRST_NAME,
    LOAD,
    MBOUR,
    RUFISQUE,
    WEIGHT,
    case,
    contact,
    enrollment,
    enrollment_of,
    event_of,
    person,
    visit,
)
from flows.renamed import NAMES, TERMS, differing_but_in_names, rename, rename_at
from flows.world import Ground, World, world_on
from servers import HIV


DEFAULT = "HllvX50cXC0"
THERE = {uid: name for table in NAMES.values() for uid, name in table.items()}


@pytest.fixture
def world(ground: Ground, tmp_path: Path) -> Iterator[World]:
    with world_on(ground, tmp_path, mapping=TERMS) as both:
        rename_at(both.destination)
        both.learn()
        yield both


def renamed(**terms: Any) -> Any:
    return TERMS.model_copy(update=terms)


def without(table: str, *uids: str) -> dict[str, str]:
    return {uid: name for uid, name in NAMES[table].items() if uid not in uids}


def test_everybody_arrives_under_the_names_of_the_destination_and_once(world: World) -> None:
    world.source.write(trackedEntities=[person(), person(BINTA, MBOUR)], events=[case()])

    first, before = world.run(), world.destination.stamps()
    second = world.run()

    assert (first.totals["created"], first.problems) == (7, ())
    assert (second.sent, second.problems) == (0, ())
    assert world.destination.stamps() == before
    assert differing_but_in_names(world) == {}


def test_a_value_cleared_at_the_source_is_cleared_under_its_other_name(world: World) -> None:
    world.source.write(trackedEntities=[person()])
    world.run()
    key = ("value", event_of(AWA), THERE[WEIGHT])
    assert key in world.destination.holds()
    world.source.write(events=[visit(dataValues=[{"dataElement": WEIGHT, "value": None}])])

    run = world.run()

    assert run.totals["changed"] == 1
    assert key not in world.destination.holds()
    assert differing_but_in_names(world) == {}


def test_what_a_closed_table_does_not_name_is_refused_and_sent_once_it_is_named(
    world: World,
) -> None:
    world.source.write(trackedEntities=[person(), person(BINTA, MBOUR)])
    closed = {"closed": frozenset({"org_units"})}

    first = world.run(mapping=renamed(org_units=without("org_units", MBOUR), **closed))
    second = world.run(mapping=renamed(**closed))

    assert first.refused == {
        BINTA: ("refused", "SYNC_UNMAPPED_ORG_UNIT"),
        enrollment_of(BINTA): ("refused", "SYNC_UNMAPPED_ORG_UNIT"),
        event_of(BINTA): ("refused", "SYNC_UNMAPPED_ORG_UNIT"),
        f"{BINTA}:{THERE[HIV]}": ("refused", "SYNC_UNMAPPED_ORG_UNIT"),  # the owner
    }
    assert first.totals["created"] == 3
    assert (second.totals["created"], second.refused) == (3, {})
    assert differing_but_in_names(world) == {}


def test_the_events_of_a_dropped_stage_are_held_and_their_person_is_stored(world: World) -> None:
    world.source.write(trackedEntities=[person()])
    stages = dict.fromkeys(NAMES["program_stages"], "drop")

    run = world.run(mapping=renamed(program_stages=stages))

    assert run.refused == {event_of(AWA): ("held", "SYNC_DROPPED")}
    assert run.totals["created"] == 2
    assert run.problems == ()
    there = world.destination.holds()
    assert ("attribute", AWA, FIRST_NAME) in there
    assert ("event", event_of(AWA)) not in there


def test_a_dropped_element_is_not_sent_and_the_destinations_own_value_stays(world: World) -> None:
    told = [{"dataElement": LOAD, "value": "12"}, {"dataElement": WEIGHT, "value": "61.5"}]
    world.source.write(trackedEntities=[person(enrollments=[enrollment(events=[])])])
    dropped = {**NAMES["data_elements"], WEIGHT: "drop"}
    world.run(mapping=renamed(data_elements=dropped))
    world.source.write(events=[visit(dataValues=told[1:])])

    first = world.run()
    own = {"dataElement": THERE[WEIGHT], "value": "70"}
    there = visit(place=THERE[RUFISQUE], dataValues=[own])
    world.destination.write(
        events=[there | {"program": THERE[there["program"]], "programStage": "ThereStage1"}]
    )
    second = world.run()

    assert (first.totals["created"], second.totals["refused"]) == (1, 0)
    assert world.destination.holds()["value", event_of(AWA), THERE[WEIGHT]][0] == "70"


def test_a_relationship_arrives_under_the_other_name_of_its_type_and_once(world: World) -> None:
    world.source.write(trackedEntities=[person(), person(BINTA, MBOUR)])
    world.source.write(relationships=[contact("Relation001", AWA, BINTA)])

    first, second = world.run(), world.run()

    assert (first.totals["created"], first.problems, second.sent) == (7, (), 0)
    assert ("relationship", THERE[CONTACT], AWA, BINTA) in world.destination.holds()
    assert differing_but_in_names(world) == {}


def test_a_relationship_of_a_dropped_type_is_held_until_it_is_dropped_no_more(world: World) -> None:
    world.source.write(trackedEntities=[person(), person(BINTA, MBOUR)])
    world.source.write(relationships=[contact("Relation001", AWA, BINTA)])

    first = world.run(mapping=renamed(relationship_types={CONTACT: "drop"}))
    before = world.destination.holds()
    second = world.run(mapping=TERMS)

    assert first.refused == {"Relation001": ("held", "SYNC_DROPPED")}
    assert (first.totals["created"], first.problems) == (6, ())
    assert [key for key in before if key[0] == "relationship"] == []
    assert second.totals["created"] == 1
    assert differing_but_in_names(world) == {}


def test_an_owner_is_the_org_unit_under_its_other_name(world: World) -> None:
    world.source.write(trackedEntities=[person()])
    world.run()
    world.source.give(AWA, HIV, MBOUR)
    world.source.write(trackedEntities=[person()])  # before 2.43 a transfer moves no stamp

    run = world.run()

    assert run.problems == ()
    assert world.destination.holds()["owner", AWA, THERE[HIV]] == THERE[MBOUR]
    assert differing_but_in_names(world) == {}


def test_the_default_option_combination_of_an_older_server_is_mapped_by_itself(
    ground: Ground, tmp_path: Path
) -> None:
    with world_on(ground, tmp_path) as world:
        rename(world.destination, {DEFAULT: "OldDefault1"})
        world.learn()
        world.source.write(trackedEntities=[person()], events=[case()])

        first, second = world.run(), world.run()

        assert (first.totals["created"], first.problems, second.sent) == (4, (), 0)
        event = world.destination.holds()["event", event_of(AWA)]
        assert event["option_combo"] == "OldDefault1"
