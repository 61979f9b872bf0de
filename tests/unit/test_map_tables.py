"""Staged tables are told in the destination's names, and what cannot be is named with its code."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    CLINIC,
    MODEL,
    NAME,
    NATIONAL_ID,
    NOTE,
    PROGRAM,
    STAGE,
    SURVEILLANCE,
    TYPE,
    WEIGHT,
    enrollment,
    event,
    event_page,
    lone_event,
    person,
    staged,
)
from builders import EVENTS as EVENT_PAGES
from dhis2_api.importer import Ref
from servers import route
from tracker_sync.bundling.projection import Projection
from tracker_sync.mapping.mapped_tables import Mapped, map_tables
from tracker_sync.mapping.marked import marked
from tracker_sync.mapping.terms import MappingTerms
from tracker_sync.mapping.there import model_there, route_there
from tracker_sync.planning.objects import Object, as_bundles, trees_of
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import EVENT_ROW, TABLES, Tables, flatten_events


SEXES, SEX = "optSetSex01", "elemSexCod1"
PERSON_REF, ENROLLMENT_REF, EVENT_REF = (
    Ref("TRACKED_ENTITY", "person00001"),
    Ref("ENROLLMENT", "enroll00001"),
    Ref("EVENT", "event000001"),
)
HERE = replace(
    MODEL,
    option_sets={SEX: SEXES, NATIONAL_ID: SEXES},
    value_types={WEIGHT: "NUMBER", SEX: "TEXT", NOTE: "LONG_TEXT"},
)


def there(name: str) -> str:
    """Return a name that only the destination uses."""
    return f"Z{name[1:]}"


def mapped(tables: Tables, **terms: Any) -> Mapped:
    return map_tables(tables, _terms(**terms), HERE)


def _terms(**terms: Any) -> MappingTerms:
    sets: dict[str, Any] = {n: frozenset(terms.pop(n, ())) for n in ("merge", "closed")}
    return MappingTerms(**terms, **sets)


def with_value(element: str, value: str) -> Tables:
    values = [{"dataElement": element, "value": value, "providedElsewhere": False}]
    return staged(person(enrollments=[enrollment(events=[event(dataValues=values)])]))


def values_of(found: Mapped) -> list[tuple[str, str]]:
    rows = found.tables["data_values"].to_pylist()
    return [(row["dataElement"], row["value"]) for row in rows]


def test_without_a_mapping_the_tables_are_the_very_same() -> None:
    tables = staged(person())

    assert mapped(tables) == Mapped(tables, {})


def test_every_name_of_a_person_and_of_all_below_becomes_the_destinations() -> None:
    one = {name: {uid: there(uid)} for name, uid in _NAMES.items()}
    elements = {uid: there(uid) for uid in (WEIGHT, NOTE)}
    attributes = {uid: there(uid) for uid in (NAME, NATIONAL_ID)}
    assigned = event(assignedUser={"username": "alice"})

    found = mapped(
        staged(person(enrollments=[enrollment(events=[assigned])])),
        **one,
        data_elements=elements,
        attributes=attributes,
        users={"alice": "bob"},
    )

    text = str({name: table.to_pydict() for name, table in found.tables.items()})
    before = [*_NAMES.values(), WEIGHT, NAME, NATIONAL_ID, "alice"]
    assert [name for name in before if f"'{name}'" in text] == []
    after = [there(name) for name in before if name != "alice"]
    assert [name for name in after if f"'{name}'" not in text] == []
    assert found.refused == {}
    for name, table in found.tables.items():
        assert table.schema == TABLES[name]


_NAMES = {
    "org_units": CLINIC,
    "programs": PROGRAM,
    "program_stages": STAGE,
    "tracked_entity_types": TYPE,
    "option_combos": "HllvX50cXC0",
}


def test_an_event_without_registration_goes_to_the_destinations_program() -> None:
    rows = parse_page(event_page(lone_event()), EVENT_PAGES, EVENT_ROW, what="test").rows

    found = mapped(flatten_events(rows), programs={SURVEILLANCE: there(SURVEILLANCE)})

    assert found.tables["events"]["program"].to_pylist() == [there(SURVEILLANCE)]


def test_a_dropped_data_element_leaves_no_value_and_refuses_nothing() -> None:
    found = mapped(with_value(WEIGHT, "3"), data_elements={WEIGHT: "drop"})

    assert (values_of(found), found.refused) == ([], {})


def test_a_dropped_user_or_option_combination_leaves_the_field_out() -> None:
    assigned = event(assignedUser={"username": "alice"})
    tables = staged(person(enrollments=[enrollment(events=[assigned])]))

    found = mapped(tables, users={"alice": "drop"}, option_combos={"HllvX50cXC0": "drop"})

    assert tables["events"]["assignedUser"].to_pylist() == ["alice"]
    assert found.tables["events"]["assignedUser"].to_pylist() == [None]
    assert found.tables["events"]["attributeOptionCombo"].to_pylist() == [None]
    assert found.refused == {}


def test_the_events_of_a_dropped_stage_are_named_and_their_neighbours_are_not() -> None:
    other = event("event000002", programStage="stageOther1")
    tables = staged(person(enrollments=[enrollment(events=[event(), other])]))

    found = mapped(tables, program_stages={STAGE: "drop"})

    assert found.refused == {EVENT_REF: "SYNC_DROPPED"}
    assert found.tables["events"].num_rows == 2


def test_a_closed_table_refuses_each_object_with_a_name_outside_of_it() -> None:
    for table, ref in (
        ("tracked_entity_types", PERSON_REF),
        ("program_stages", EVENT_REF),
        ("option_combos", EVENT_REF),
        ("data_elements", EVENT_REF),
    ):
        found = mapped(staged(person()), closed=[table])
        assert {*found.refused} == {ref}, table
        assert found.refused[ref].startswith("SYNC_UNMAPPED_")

    everybody = mapped(staged(person()), closed=["org_units"]).refused
    owner = Ref("OWNER", f"person00001:{PROGRAM}")
    assert {*everybody} == {PERSON_REF, ENROLLMENT_REF, EVENT_REF, owner}
    assert {*everybody.values()} == {"SYNC_UNMAPPED_ORG_UNIT"}


def test_what_is_deleted_is_never_refused_by_a_mapping() -> None:
    gone = person(
        deleted=True, enrollments=[enrollment(deleted=True, events=[event(deleted=True)])]
    )

    refused = mapped(staged(gone, person("person00002")), closed=["org_units"]).refused

    assert Ref("TRACKED_ENTITY", "person00002") in refused
    assert PERSON_REF not in refused


def test_an_attribute_that_an_older_server_lists_beside_a_persons_own_refuses_nobody() -> None:
    listed = [{"attribute": NAME, "value": "Awa"}, {"attribute": NATIONAL_ID, "value": "902"}]
    tables = staged(person(attributes=listed, enrollments=[enrollment(attributes=[])]))
    assert tables["attributes"].num_rows == 2

    assert mapped(tables, closed=["attributes"], attributes={NAME: there(NAME)}).refused == {}
    assert mapped(tables, closed=["attributes"]).refused == {PERSON_REF: "SYNC_UNMAPPED_ATTRIBUTE"}


def test_an_option_is_named_by_the_destinations_code_in_its_own_set_only() -> None:
    options = {SEXES: {"F": "FEMALE", "U": "drop"}}

    assert values_of(mapped(with_value(SEX, "F"), options=options)) == [(SEX, "FEMALE")]
    assert values_of(mapped(with_value(SEX, "M"), options=options)) == [(SEX, "M")]
    assert values_of(mapped(with_value(SEX, "U"), options=options)) == []
    assert values_of(mapped(with_value(NOTE, "F"), options=options)) == [(NOTE, "F")]


def test_a_code_outside_of_a_closed_set_refuses_its_object() -> None:
    options = {SEXES: {"F": "FEMALE"}}

    found = mapped(with_value(SEX, "M"), options=options, closed=["options"])

    refused = {ENROLLMENT_REF: "SYNC_UNMAPPED_OPTION", EVENT_REF: "SYNC_UNMAPPED_OPTION"}
    assert found.refused == refused  # the enrollment by its national id, which is of the set too


def test_the_codes_of_a_value_of_several_are_mapped_one_by_one() -> None:
    model = replace(HERE, value_types={SEX: "MULTI_TEXT"})
    terms = _terms(options={SEXES: {"F": "FEMALE", "U": "drop", "M": "FEMALE"}}, merge=["options"])

    def after(value: str) -> list[tuple[str, str]]:
        return values_of(map_tables(with_value(SEX, value), terms, model))

    assert after("F,X") == [(SEX, "FEMALE,X")]
    assert after("M,F,U") == [(SEX, "FEMALE")]
    assert after("U") == []


def test_a_value_that_is_an_org_unit_or_a_user_is_named_as_the_destination_does() -> None:
    model = replace(HERE, value_types={NOTE: "ORGANISATION_UNIT", SEX: "USERNAME"})
    terms = _terms(org_units={CLINIC: there(CLINIC)}, users={"alice": "bob"}, closed=["org_units"])

    place = map_tables(with_value(NOTE, CLINIC), terms, model)
    unknown = map_tables(with_value(NOTE, "elsewhere01"), terms, model)

    assert values_of(place) == [(NOTE, there(CLINIC))]
    assert unknown.refused == {EVENT_REF: "SYNC_UNMAPPED_ORG_UNIT"}
    assert values_of(map_tables(with_value(SEX, "alice"), terms, model)) == [(SEX, "bob")]


def test_of_two_data_elements_that_become_one_equal_values_are_one_and_others_are_refused() -> None:
    def both(first: str, second: str) -> Mapped:
        values = [
            {"dataElement": WEIGHT, "value": first, "providedElsewhere": False},
            {"dataElement": NOTE, "value": second, "providedElsewhere": True},
        ]
        people = person(enrollments=[enrollment(events=[event(dataValues=values)])])
        onto_one = {WEIGHT: there(WEIGHT), NOTE: there(WEIGHT)}
        return mapped(staged(people), data_elements=onto_one, merge=["data_elements"])

    assert values_of(both("3", "3")) == [(there(WEIGHT), "3")]
    assert both("3", "3").refused == {}
    assert both("3", "4").refused == {EVENT_REF: "SYNC_MAPPED_TWICE"}


def test_a_dropped_relationship_type_takes_its_rows_out_of_the_table() -> None:
    rows = [
        {"trackedEntity": "person00001", "relationship": uid, "relationshipType": type_}
        for uid, type_ in (("relation001", "typeParent1"), ("relation002", "typeSiblin1"))
    ]
    table = pa.Table.from_pylist(rows, TABLES["relationships"])

    found = mapped(
        {**staged(person()), "relationships": table},
        relationship_types={"typeParent1": "drop", "typeSiblin1": "TypeSiblin9"},
    )

    assert found.tables["relationships"]["relationshipType"].to_pylist() == ["TypeSiblin9"]
    assert found.refused == {Ref("RELATIONSHIP", "relation001"): "SYNC_DROPPED"}


def test_the_default_option_combination_becomes_the_destinations_own_without_a_table() -> None:
    model = replace(HERE, option_combos={"HllvX50cXC0": "OldDefault1"})

    found = map_tables(staged(person()), MappingTerms(), model)

    assert found.tables["events"]["attributeOptionCombo"].to_pylist() == ["OldDefault1"]
    assert map_tables(staged(person()), _terms(closed=["option_combos"]), model).refused == {}


def test_a_refused_object_is_in_the_bundles_with_its_code_and_without_content() -> None:
    found = mapped(staged(person()), closed=["data_elements"])
    rows = marked(as_bundles(found.tables, Projection.of(MODEL)), found.refused)

    by_ref: dict[Ref, Object] = {item.ref: item for tree in trees_of(rows) for item in tree.objects}

    assert by_ref.keys() == {PERSON_REF, ENROLLMENT_REF, EVENT_REF}
    refused = by_ref.pop(EVENT_REF)
    assert (refused.code, refused.content) == ("SYNC_UNMAPPED_DATA_ELEMENT", None)
    assert refused.content_hash is None
    assert refused.updated_at > datetime(2026, 1, 1)  # noqa: DTZ001 - stamps have no zone
    assert all(item.code is None and item.content for item in by_ref.values())


def test_the_model_is_told_in_the_destinations_names_without_what_is_dropped() -> None:
    terms = _terms(
        programs={PROGRAM: there(PROGRAM)},
        program_stages={STAGE: there(STAGE)},
        data_elements={WEIGHT: "drop", NOTE: there(NOTE)},
        attributes={NAME: there(NAME)},
        closed=["attributes"],
    )

    model = model_there(HERE, terms)

    assert model.stage_elements == {there(STAGE): {there(NOTE)}}
    assert model.program_attributes == {there(PROGRAM): {there(NAME)}}
    assert model.type_attributes == {TYPE: {there(NAME)}}
    assert model.tracked_entity_types == {there(PROGRAM): TYPE}
    assert model.hash != HERE.hash
    assert model_there(HERE, MappingTerms()) is HERE


def test_of_two_stages_that_become_one_only_what_both_have_may_be_cleared() -> None:
    model = replace(HERE, stage_elements={STAGE: frozenset({WEIGHT, NOTE}), SEX: frozenset({NOTE})})
    terms = _terms(
        program_stages={STAGE: "StageMerge1", SEX: "StageMerge1"}, merge=["program_stages"]
    )

    assert model_there(model, terms).stage_elements == {"StageMerge1": {NOTE}}


def test_the_route_is_told_in_the_destinations_names() -> None:
    here = route(
        programs=(PROGRAM,), org_units=(CLINIC,), mapping=_terms(org_units={CLINIC: "Clinic00001"})
    )

    assert route_there(here).org_units == ("Clinic00001",)
    assert route_there(here).programs == (PROGRAM,)


ELEMENTS = [f"element{n:04}" for n in range(6)]


@given(
    st.lists(st.sampled_from(ELEMENTS), unique=True),
    st.permutations([*ELEMENTS[:3], *map(there, ELEMENTS[3:])]),
    st.sets(st.sampled_from(ELEMENTS)),
)
def test_whatever_changes_its_name_no_value_is_lost_but_what_is_dropped(
    elements: list[str], names: list[str], dropped: set[str]
) -> None:
    table = {
        uid: "drop" if uid in dropped else name for uid, name in zip(ELEMENTS, names, strict=True)
    }
    values = [{"dataElement": uid, "value": uid, "providedElsewhere": False} for uid in elements]
    tables = staged(person(enrollments=[enrollment(events=[event(dataValues=values)])]))

    found = mapped(tables, data_elements=table)

    assert values_of(found) == [(table[uid], uid) for uid in elements if uid not in dropped]
    assert found.refused == {}


def test_tables_that_nobody_wants_are_not_missed() -> None:
    whole = staged(person())
    some = {name: whole[name] for name in ("tracked_entities", "enrollments")}
    terms = _terms(org_units={CLINIC: there(CLINIC)})

    found = map_tables(some, terms, HERE)

    assert found.tables.keys() == some.keys()
    assert found.tables["tracked_entities"]["orgUnit"].to_pylist() == [there(CLINIC)]
    assert found.tables["enrollments"].equals(map_tables(whole, terms, HERE).tables["enrollments"])
