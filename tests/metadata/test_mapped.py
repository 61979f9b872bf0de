"""What the route maps is the destination's own: it is referred to, and never brought over."""

from __future__ import annotations

from typing import Any

import pytest

from servers import (
    DAKAR,
    HIV,
    PERSON,
    SENEGAL,
    SEX,
    Pair,
    add_option,
    copied,
    grant,
    put,
    read,
    route,
    stamps,
)
from tracker_sync.mapping.terms import MappingTerms
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.synchronisation import MetadataResult
from tracker_sync.readiness import readiness
from tracker_sync.route import Route


WEIGHT, PREGNANT, VISIT = "ol1WpmrN6NG", "HmXEyEsyp0s", "nYjAPItoxo2"
ROOT_THERE, DAKAR_THERE, WEIGHT_THERE = "ThereRoot01", "ThereDakar1", "ThereElem01"


def mapped(**terms: Any) -> Route:
    known = {"metadata": terms.pop("metadata", "apply"), "programs": (HIV,)}
    sets: dict[str, Any] = {n: frozenset(terms.pop(n, ())) for n in ("merge", "closed")}
    return route(**known, mapping=MappingTerms(**terms, **sets))


@pytest.fixture
def renamed(pair: Pair) -> Pair:
    """A destination with two org units and a data element under UIDs of its own."""
    copied(pair, "organisationUnits", SENEGAL, ROOT_THERE)
    copied(pair, "organisationUnits", DAKAR, DAKAR_THERE, parent={"id": ROOT_THERE})
    copied(pair, "dataElements", WEIGHT, WEIGHT_THERE)
    return pair


NAMES = {
    "org_units": {SENEGAL: ROOT_THERE, DAKAR: DAKAR_THERE},
    "data_elements": {WEIGHT: WEIGHT_THERE},
}


def codes(result: MetadataResult) -> list[str]:
    return [finding.code for finding in result.findings]


def test_what_is_not_mapped_arrives_and_refers_to_what_is(renamed: Pair) -> None:
    result = synchronise(renamed.source, renamed.destination, mapped(**NAMES))

    assert codes(result) == []
    units = stamps(renamed.destination, "organisationUnits")
    assert len(units) == len(stamps(renamed.source, "organisationUnits")) == 40
    assert units.keys() >= {ROOT_THERE, DAKAR_THERE}
    assert units.keys().isdisjoint({SENEGAL, DAKAR})
    parents = {
        uid: read(renamed.destination, "organisationUnits", uid).get("parent") for uid in units
    }
    assert [uid for uid, parent in parents.items() if parent is None] == [ROOT_THERE]
    elements = stamps(renamed.destination, "dataElements")
    assert WEIGHT not in elements
    stage = read(renamed.destination, "programStages", VISIT)
    rows = {row["dataElement"]["id"] for row in stage["programStageDataElements"]}
    assert WEIGHT_THERE in rows
    assigned = {
        unit["id"] for unit in read(renamed.destination, "programs", HIV)["organisationUnits"]
    }
    assert assigned
    assert assigned <= units.keys()


def test_a_second_run_sends_nothing_and_the_model_is_in_the_sources_names(renamed: Pair) -> None:
    first = synchronise(renamed.source, renamed.destination, mapped(**NAMES))

    second = synchronise(renamed.source, renamed.destination, mapped(**NAMES))

    assert (second.sent, second.model) == (0, first.model)
    assert first.sent > 0
    assert WEIGHT in first.model.stage_elements[VISIT]
    assert {SENEGAL, DAKAR} <= first.model.org_units.keys()
    assert first.model.tracked_entity_types == {HIV: PERSON}


def test_a_mapped_object_that_changes_at_the_destination_changes_the_model(renamed: Pair) -> None:
    first = synchronise(renamed.source, renamed.destination, mapped(**NAMES))
    weight = read(renamed.destination, "dataElements", WEIGHT_THERE)
    put(renamed.destination, "dataElements", weight | {"valueType": "TEXT"})

    second = synchronise(renamed.source, renamed.destination, mapped(**NAMES))

    assert second.sent == 0
    assert second.model.hash != first.model.hash


def test_a_program_that_is_mapped_is_not_brought_over_nor_what_is_only_below_it(
    renamed: Pair,
) -> None:
    nothing: dict[str, Any] = {
        "programTrackedEntityAttributes": [],
        "programStages": [],
        "organisationUnits": [],
    }
    copied(renamed, "trackedEntityTypes", PERSON, PERSON, trackedEntityTypeAttributes=[])
    copied(renamed, "programs", HIV, "ThereProg01", **nothing)

    result = synchronise(
        renamed.source, renamed.destination, mapped(programs={HIV: "ThereProg01"}, **NAMES)
    )

    assert stamps(renamed.destination, "programs").keys() == {"ThereProg01"}
    assert stamps(renamed.destination, "programStages") == {}
    assert codes(result) == ["mapping_leaves_a_gap"] * 3
    assert VISIT in str(result.findings[0])
    assert result.model.stage_elements[VISIT]


def test_the_options_of_a_mapped_set_stay_as_they_are(renamed: Pair) -> None:
    synchronise(renamed.source, renamed.destination, mapped(**NAMES))
    option = add_option(renamed.source, "UNKNOWN")

    result = synchronise(
        renamed.source, renamed.destination, mapped(options={SEX: {"UNKNOWN": "drop"}}, **NAMES)
    )

    assert (result.sent, codes(result)) == (0, [])
    assert option not in stamps(renamed.destination, "options")


BLOCKING = {
    "mapping_target_missing": {"attributes": {"igrbHRNTbIn": "NotThere001"}},
    "mapping_meets_another": {"data_elements": {WEIGHT: PREGNANT}},
}


@pytest.mark.parametrize("code", BLOCKING)
def test_a_mapping_that_cannot_be_meant_stops_the_run_before_anything_is_sent(
    renamed: Pair, code: str
) -> None:
    copied(renamed, "dataElements", PREGNANT, PREGNANT)

    result = synchronise(renamed.source, renamed.destination, mapped(**NAMES | BLOCKING[code]))

    assert [finding.code for finding in result.findings if finding.blocking] == [code]
    assert result.sent == 0
    assert stamps(renamed.destination, "programs") == {}


def test_a_code_that_becomes_one_that_stays_is_a_merge_to_be_allowed(renamed: Pair) -> None:
    copied(renamed, "optionSets", SEX, SEX, options=[])
    onto = {"options": {SEX: {"M": "F"}}, **NAMES}

    refused = synchronise(renamed.source, renamed.destination, mapped(**onto))
    allowed = synchronise(renamed.source, renamed.destination, mapped(merge=["options"], **onto))

    assert codes(refused) == ["mapping_meets_another"]
    assert codes(allowed) == []


def test_what_the_route_does_not_use_is_told_and_stops_nothing(renamed: Pair) -> None:
    units = {**NAMES["org_units"], "nowhere0001": "Elsewhere01"}
    terms = mapped(**NAMES | {"org_units": units})

    result = synchronise(renamed.source, renamed.destination, terms)

    assert [(item.code, item.blocking) for item in result.findings] == [
        ("mapping_source_unknown", False)
    ]
    assert "nowhere0001" in result.findings[0].text


def test_the_roots_are_looked_for_under_the_names_of_the_destination(renamed: Pair) -> None:
    terms = mapped(**NAMES)
    grant(renamed.source, SENEGAL)
    model = synchronise(renamed.source, renamed.destination, terms).model

    asked = readiness(renamed.source, renamed.destination, terms, model)
    itself = terms.model_copy(update={"grant_self": True})
    granted = readiness(renamed.source, renamed.destination, itself, model)

    assert [finding.code for finding in asked] == ["capture_scope_missing", "search_scope_missing"]
    assert [finding.code for finding in granted] == ["granted_self"]
    assert ROOT_THERE in granted[0].text
