"""Is each change of the source's model found, applied, and the only thing that changes?

Two servers hold the same model; the source's is changed as somebody in its maintenance app would,
and the destination is looked at afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from metadata.grown import (
    ABC,
    ACTION,
    ADHERENT,
    CATEGORY,
    CATEGORY_OPTION,
    COMBO,
    CONTACT,
    FIRST_NAME,
    FOLLOW_UP,
    FORM,
    INDICATOR,
    INITIATION,
    LABORATORY,
    LEGENDS,
    LIMIT,
    LINES,
    LOAD,
    MARK,
    NATIONAL_ID,
    NEXT,
    PHONE,
    REGIMENS,
    RULE,
    SECOND_VARIABLE,
    SECTION,
    STAGE_SECTION,
    TDF,
    TOWNS,
    VARIABLE,
    WEIGHT,
    add,
    change,
)
from metadata.objects import Fields, ids
from metadata.twins import ALONE, Ground, Name, contents, moved, shared, twins, written_at
from servers import DAKAR, HIV, PERSON, SENEGAL, Pair, put, read, route
from tracker_sync.metadata import MetadataResult, synchronise
from tracker_sync.route import Route


#: The rounds are played once, so by one worker.
pytestmark = pytest.mark.xdist_group("mutations")

#: What a change is found as: class, UID, and the fields that differ; none for a new object.
Found = dict[Name, tuple[str, ...]]

#: Class, UID and what becomes of its fields.
FIELDS: list[tuple[str, str, Fields]] = [
    ("programs", HIV, {"name": "VIH"}),
    ("programs", HIV, {"shortName": "VIH", "code": "VIH"}),
    ("programs", HIV, {"description": "File active"}),
    ("programs", HIV, {"enrollmentDateLabel": "Inclusion", "incidentDateLabel": "Dépistage"}),
    ("programs", HIV, {"displayIncidentDate": False}),
    ("programs", HIV, {"onlyEnrollOnce": True}),
    ("programs", HIV, {"accessLevel": "OPEN"}),
    ("programs", HIV, {"featureType": "NONE"}),
    ("programs", HIV, {"expiryDays": 30, "completeEventsExpiryDays": 60}),
    ("programs", HIV, {"selectEnrollmentDatesInFuture": False}),
    ("programs", HIV, {"maxTeiCountToReturn": 50, "minAttributesRequiredToSearch": 2}),
    ("programs", HIV, {"style": {"color": "#ff0000", "icon": "hiv"}}),
    ("programs", HIV, {"translations": [{"locale": "en", "property": "NAME", "value": "HIV"}]}),
    ("programs", HIV, {"attributeValues": [{"attribute": {"id": MARK}, "value": "autre"}]}),
    ("programStages", INITIATION, {"name": "Mise sous traitement"}),
    ("programStages", INITIATION, {"repeatable": True}),
    ("programStages", INITIATION, {"minDaysFromStart": 7, "standardInterval": 30}),
    ("programStages", INITIATION, {"validationStrategy": "ON_COMPLETE"}),
    ("programStages", INITIATION, {"featureType": "NONE"}),
    ("programStages", INITIATION, {"autoGenerateEvent": False}),
    ("programStages", INITIATION, {"executionDateLabel": "Visite", "dueDateLabel": "Prévue"}),
    ("programStages", INITIATION, {"enableUserAssignment": True}),
    ("programStages", INITIATION, {"blockEntryForm": True}),
    ("programStages", INITIATION, {"sortOrder": 9}),
    ("trackedEntityTypes", PERSON, {"name": "Patient"}),
    ("trackedEntityTypes", PERSON, {"featureType": "NONE"}),
    ("trackedEntityTypes", PERSON, {"maxTeiCountToReturn": 20}),
    ("trackedEntityAttributes", PHONE, {"name": "Portable", "shortName": "Portable"}),
    ("trackedEntityAttributes", PHONE, {"valueType": "TEXT"}),
    ("trackedEntityAttributes", PHONE, {"unique": True, "orgunitScope": True}),
    ("trackedEntityAttributes", PHONE, {"confidential": True, "inherit": True}),
    ("trackedEntityAttributes", PHONE, {"generated": True, "pattern": "RANDOM(#######)"}),
    ("trackedEntityAttributes", NATIONAL_ID, {"unique": False}),
    ("trackedEntityAttributes", NATIONAL_ID, {"legendSets": ids(LEGENDS)}),
    ("dataElements", WEIGHT, {"name": "Poids", "formName": "Poids en kg"}),
    ("dataElements", WEIGHT, {"valueType": "TEXT"}),
    ("dataElements", WEIGHT, {"aggregationType": "AVERAGE", "zeroIsSignificant": True}),
    ("dataElements", NEXT, {"translations": [{"locale": "en", "property": "NAME", "value": "N"}]}),
    ("dataElements", NEXT, {"legendSets": ids(LEGENDS)}),
    ("dataElements", ADHERENT, {"categoryCombo": {"id": COMBO}}),
    ("options", TDF, {"name": "TDF + 3TC + DTG"}),
    ("options", TDF, {"code": "TLD"}),
    ("options", TDF, {"style": {"color": "#00ff00"}}),
    ("optionSets", REGIMENS, {"name": "Régimes"}),
    ("optionGroups", LINES, {"name": "Ligne première"}),
    ("programRules", RULE, {"condition": "#{poids} > 250"}),
    ("programRules", RULE, {"name": "Poids étonnant", "priority": 3}),
    ("programRules", RULE, {"programStage": {"id": INITIATION}}),
    ("programRuleActions", ACTION, {"content": "Poids étonnant"}),
    ("programRuleActions", ACTION, {"programRuleActionType": "SHOWERROR"}),
    ("programRuleActions", ACTION, {"dataElement": {"id": LOAD}}),
    ("programRuleVariables", VARIABLE, {"dataElement": {"id": LOAD}}),
    ("programRuleVariables", SECOND_VARIABLE, {"trackedEntityAttribute": {"id": FIRST_NAME}}),
    (
        "programRuleVariables",
        VARIABLE,
        {"programRuleVariableSourceType": "DATAELEMENT_CURRENT_EVENT"},
    ),
    ("programIndicators", INDICATOR, {"expression": f"C{{{LIMIT}}}"}),
    ("programIndicators", INDICATOR, {"filter": "1 == 1", "decimals": 2}),
    ("programIndicators", INDICATOR, {"aggregationType": "SUM", "displayInForm": True}),
    ("programIndicators", INDICATOR, {"analyticsType": "ENROLLMENT"}),
    ("programSections", SECTION, {"name": "État civil"}),
    ("programSections", SECTION, {"trackedEntityAttributes": ids(PHONE, NATIONAL_ID)}),
    ("programStageSections", STAGE_SECTION, {"name": "Examen"}),
    ("legendSets", LEGENDS, {"name": "Tranches"}),
    ("constants", LIMIT, {"value": 250.0}),
    ("constants", LIMIT, {"name": "Plafond", "shortName": "Plafond"}),
    ("organisationUnitGroups", TOWNS, {"name": "Grandes villes"}),
    ("categories", CATEGORY, {"name": "Financement"}),
    ("categoryOptions", CATEGORY_OPTION, {"name": "Fonds", "shortName": "Fonds"}),
    ("categoryCombos", COMBO, {"skipTotal": True}),
    ("dataEntryForms", FORM, {"htmlCode": "<p>Autre</p>"}),
    ("relationshipTypes", CONTACT, {"name": "Cas contact", "fromToName": "a vu"}),
    ("relationshipTypes", CONTACT, {"bidirectional": True, "toFromName": "a été vu par"}),
    ("attributes", MARK, {"name": "Marque"}),
]


def rows(
    server: Dhis2Client, plural: str, uid: str, field: str, of: Callable[[list[Any]], list[Any]]
) -> None:
    change(server, plural, uid, **{field: of(read(server, plural, uid)[field])})


def options_reordered(server: Dhis2Client) -> Found:
    rows(server, "optionSets", REGIMENS, "options", lambda held: held[::-1])
    return {("optionSets", REGIMENS): ("options",)}


def option_added(server: Dhis2Client) -> Found:
    option = {"id": "OptionAdded", "code": "AZT", "name": "AZT", "optionSet": {"id": REGIMENS}}
    put(server, "options", option)
    return {("options", "OptionAdded"): (), ("optionSets", REGIMENS): ("options",)}


def option_grouped(server: Dhis2Client) -> Found:
    add(server, "optionGroups", LINES, "options", {"id": ABC})
    return {("optionGroups", LINES): ("options",)}


def element_added_to_a_stage(server: Dhis2Client) -> Found:
    element: Fields = {"id": "ElementNew1", "code": "NEW", "name": "Taille", "shortName": "Taille"}
    element |= {"valueType": "NUMBER", "domainType": "TRACKER", "aggregationType": "NONE"}
    put(server, "dataElements", element)
    row = {"dataElement": {"id": "ElementNew1"}, "sortOrder": 9, "compulsory": True}
    add(server, "programStages", FOLLOW_UP, "programStageDataElements", row)
    return {
        ("dataElements", "ElementNew1"): (),
        ("programStages", FOLLOW_UP): ("programStageDataElements",),
    }


def element_made_compulsory(server: Dhis2Client) -> Found:
    field = "programStageDataElements"
    rows(
        server,
        "programStages",
        LABORATORY,
        field,
        lambda held: [{**row, "compulsory": True} for row in held],
    )
    return {("programStages", LABORATORY): (field,)}


def elements_reordered(server: Dhis2Client) -> Found:
    field = "programStageDataElements"
    rows(
        server,
        "programStages",
        LABORATORY,
        field,
        lambda held: [row | {"sortOrder": 9 - rank} for rank, row in enumerate(held)],
    )
    return {("programStages", LABORATORY): (field,)}


def attribute_made_mandatory(server: Dhis2Client) -> Found:
    field = "programTrackedEntityAttributes"
    rows(server, "programs", HIV, field, lambda held: [{**r, "mandatory": True} for r in held])
    return {("programs", HIV): (field,)}


def attribute_added_to_the_program(server: Dhis2Client) -> Found:
    attribute: Fields = {"id": "AttributNew", "code": "NEW", "name": "Métier"}
    attribute |= {"shortName": "Métier", "valueType": "TEXT", "aggregationType": "NONE"}
    put(server, "trackedEntityAttributes", attribute)
    row = {"trackedEntityAttribute": {"id": "AttributNew"}, "sortOrder": 9}
    add(server, "programs", HIV, "programTrackedEntityAttributes", row)
    return {
        ("trackedEntityAttributes", "AttributNew"): (),
        ("programs", HIV): ("programTrackedEntityAttributes",),
    }


def attribute_added_to_the_type(server: Dhis2Client) -> Found:
    row = {"trackedEntityAttribute": {"id": PHONE}, "searchable": True}
    add(server, "trackedEntityTypes", PERSON, "trackedEntityTypeAttributes", row)
    return {("trackedEntityTypes", PERSON): ("trackedEntityTypeAttributes",)}


def stage_added(server: Dhis2Client) -> Found:
    stage: Fields = {"id": "StageNew001", "name": "Sortie", "program": {"id": HIV}}
    stage |= {"sortOrder": 9, "sharing": {"public": "rwrw----"}}
    row = {"dataElement": {"id": NEXT}, "sortOrder": 1}
    put(server, "programStages", stage | {"programStageDataElements": [row]})
    return {("programStages", "StageNew001"): (), ("programs", HIV): ("programStages",)}


def rule_added_with_its_action(server: Dhis2Client) -> Found:
    action: Fields = {"id": "ActionNew01", "programRuleActionType": "HIDEFIELD"}
    action |= {"dataElement": {"id": NEXT}, "programRule": {"id": "RuleNew0001"}}
    rule: Fields = {"id": "RuleNew0001", "name": "Sans suite", "program": {"id": HIV}}
    rule |= {"condition": "true", "programRuleActions": ids("ActionNew01")}
    server.post("/api/metadata", {"programRules": [rule], "programRuleActions": [action]})
    return {("programRules", "RuleNew0001"): (), ("programRuleActions", "ActionNew01"): ()}


def action_added_to_a_rule(server: Dhis2Client) -> Found:
    action: Fields = {"id": "ActionNew02", "programRuleActionType": "HIDEFIELD"}
    put(
        server,
        "programRuleActions",
        action | {"dataElement": {"id": NEXT}, "programRule": {"id": RULE}},
    )
    return {
        ("programRuleActions", "ActionNew02"): (),
        ("programRules", RULE): ("programRuleActions",),
    }


def variable_added(server: Dhis2Client) -> Found:
    variable: Fields = {"id": "VariableNew", "name": "charge", "program": {"id": HIV}}
    variable |= {"programRuleVariableSourceType": "DATAELEMENT_NEWEST_EVENT_PROGRAM"}
    put(server, "programRuleVariables", variable | {"dataElement": {"id": LOAD}})
    return {("programRuleVariables", "VariableNew"): ()}


def indicator_added_with_its_constant(server: Dhis2Client) -> Found:
    constant = {"id": "ConstantNew", "name": "Cible", "shortName": "Cible", "value": 95.0}
    put(server, "constants", constant)
    indicator: Fields = {"id": "IndicatorN1", "name": "Suivis", "shortName": "Suivis"}
    indicator |= {"program": {"id": HIV}, "expression": "V{event_count} / C{ConstantNew}"}
    put(server, "programIndicators", indicator | {"aggregationType": "SUM"})
    return {("constants", "ConstantNew"): (), ("programIndicators", "IndicatorN1"): ()}


def boundary_added(server: Dhis2Client) -> Found:
    row = {"boundaryTarget": "EVENT_DATE", "analyticsPeriodBoundaryType": "AFTER_START"}
    add(server, "programIndicators", INDICATOR, "analyticsPeriodBoundaries", row)
    return {("programIndicators", INDICATOR): ("analyticsPeriodBoundaries",)}


def legend_added(server: Dhis2Client) -> Found:
    legend: Fields = {"id": "LegendNew01", "name": "Très haut", "color": "#000000"}
    add(
        server,
        "legendSets",
        LEGENDS,
        "legends",
        legend | {"startValue": 200.0, "endValue": 400.0},
    )
    return {("legendSets", LEGENDS): ("legends",)}


def legend_moved(server: Dhis2Client) -> Found:
    def of(held: list[Fields]) -> list[Fields]:
        ends = {0.0: 50.0, 40.0: 200.0}
        starts = {0.0: 0.0, 40.0: 50.0}
        return [
            row | {"startValue": starts[row["startValue"]], "endValue": ends[row["startValue"]]}
            for row in held
        ]

    rows(server, "legendSets", LEGENDS, "legends", of)
    return {("legendSets", LEGENDS): ("legends",)}


def section_added(server: Dhis2Client) -> Found:
    section: Fields = {"id": "StagSectNew", "name": "Suite", "sortOrder": 2}
    put(
        server,
        "programStageSections",
        section | {"programStage": {"id": FOLLOW_UP}, "dataElements": ids(NEXT)},
    )
    return {
        ("programStageSections", "StagSectNew"): (),
        ("programStages", FOLLOW_UP): ("programStageSections",),
    }


def unit_added_and_assigned(server: Dhis2Client) -> Found:
    unit: Fields = {"id": "UnitNew0001", "name": "Poste neuf", "shortName": "Poste neuf"}
    put(
        server,
        "organisationUnits",
        unit | {"openingDate": "2026-01-01", "parent": {"id": DAKAR}},
    )
    add(server, "programs", HIV, "organisationUnits", {"id": "UnitNew0001"})
    return {
        ("organisationUnits", "UnitNew0001"): (),
        ("programs", HIV): ("organisationUnits",),
    }


def unit_grouped(server: Dhis2Client) -> Found:
    add(server, "organisationUnitGroups", TOWNS, "organisationUnits", {"id": SENEGAL})
    return {("organisationUnitGroups", TOWNS): ("organisationUnits",)}


def relationship_type_added(server: Dhis2Client) -> Found:
    kind = read(server, "relationshipTypes", CONTACT)
    put(
        server,
        "relationshipTypes",
        kind | {"id": "RelationNew", "name": "Parrain", "code": "SPONSOR"},
    )
    return {("relationshipTypes", "RelationNew"): ()}


def end_of_a_relationship_narrowed(server: Dhis2Client) -> Found:
    kind = read(server, "relationshipTypes", CONTACT)
    end = kind["toConstraint"] | {"program": {"id": HIV}}
    change(server, "relationshipTypes", CONTACT, toConstraint=end)
    return {("relationshipTypes", CONTACT): ("toConstraint",)}


def option_set_given_to_an_element(server: Dhis2Client) -> Found:
    held: Fields = {"id": "OptionSetNw", "name": "Notes", "code": "NOTES", "valueType": "TEXT"}
    option = {"id": "OptionNew01", "code": "A", "name": "A", "optionSet": {"id": "OptionSetNw"}}
    server.post(
        "/api/metadata",
        {"optionSets": [held | {"options": ids("OptionNew01")}], "options": [option]},
    )
    change(server, "dataElements", ADHERENT, optionSet={"id": "OptionSetNw"}, valueType="TEXT")
    return {
        ("optionSets", "OptionSetNw"): (),
        ("options", "OptionNew01"): (),
        ("dataElements", ADHERENT): ("optionSet", "valueType"),
    }


#: What becomes of lists and of new objects.
SHAPES: list[Callable[[Dhis2Client], Found]] = [
    option_added,
    option_grouped,
    element_added_to_a_stage,
    element_made_compulsory,
    attribute_made_mandatory,
    attribute_added_to_the_type,
    stage_added,
    rule_added_with_its_action,
    action_added_to_a_rule,
    variable_added,
    indicator_added_with_its_constant,
    boundary_added,
    legend_added,
    section_added,
    unit_added_and_assigned,
    unit_grouped,
    relationship_type_added,
    end_of_a_relationship_narrowed,
    option_set_given_to_an_element,
]
#: The same lists once more.
SHAPES_AGAIN: list[Callable[[Dhis2Client], Found]] = [
    options_reordered,
    elements_reordered,
    attribute_added_to_the_program,
    legend_moved,
]
#: Of org units, which change only where the route says so.
UNITS: list[tuple[str, str, Fields]] = [
    ("organisationUnits", DAKAR, {"name": "Dakar, région", "shortName": "Dakar rég."}),
    ("organisationUnits", DAKAR, {"closedDate": "2026-06-30"}),
    ("organisationUnits", DAKAR, {"openingDate": "1970-01-01"}),
    ("organisationUnits", DAKAR, {"code": "SN-DK"}),
    ("organisationUnits", DAKAR, {"parent": {"id": "LF87lmoDPcJ"}}),
]


def of_fields(one: tuple[str, str, Fields]) -> tuple[str, Callable[[Dhis2Client], Found]]:
    plural, uid, fields = one

    def mutate(server: Dhis2Client) -> Found:
        change(server, plural, uid, **fields)
        return {(plural, uid): tuple(sorted(fields))}

    return f"{plural}: {', '.join(fields)}", mutate


#: A run takes far longer than a change, so those go together that touch no field twice.
ROUNDS: list[tuple[Route, dict[str, Callable[[Dhis2Client], Found]]]] = [
    (ALONE, dict(map(of_fields, FIELDS)) | {one.__name__: one for one in SHAPES}),
    (ALONE, {one.__name__: one for one in SHAPES_AGAIN}),
    (route(programs=(HIV,), metadata_org_units="update"), dict(map(of_fields, UNITS))),
]
MUTATIONS = [(number, name) for number, (_, named) in enumerate(ROUNDS) for name in named]


@dataclass(frozen=True)
class Round:
    """What became of several mutations in one run.

    Attributes:
        expected: What each is found as, by its name.
        result: What was told.
        written: What was written at the destination.
        ours: What the source says afterwards.
        theirs: What the destination says afterwards.
        sharing: Who could see what at the destination, before and afterwards.
        again: What a second run told.
    """

    expected: dict[str, Found]
    result: MetadataResult
    written: set[Name]
    ours: dict[Name, Fields]
    theirs: dict[Name, Fields]
    sharing: tuple[dict[Name, Any], dict[Name, Any]]
    again: MetadataResult

    @property
    def found(self) -> Found:
        """What the run found."""
        return {(one.plural, one.uid): one.fields for one in self.result.difference.changes}


def play(both: Pair, number: int) -> Round:
    terms, mutations = ROUNDS[number]
    before, sharing = written_at(both.destination), shared(both.destination)
    expected = {name: mutate(both.source) for name, mutate in mutations.items()}
    assert_none_undoes_another(expected)

    result = synchronise(both.source, both.destination, terms)

    return Round(
        expected,
        result,
        moved(before, written_at(both.destination)),
        contents(both.source),
        contents(both.destination),
        (sharing, shared(both.destination)),
        synchronise(both.source, both.destination, terms),
    )


def assert_none_undoes_another(expected: dict[str, Found]) -> None:
    """Hold that no field is changed twice and no object is made twice, e.g. in two places."""
    touched = [
        (what, field)
        for found in expected.values()
        for what, fields in found.items()
        for field in fields or ("new",)
    ]
    twice = {one for one, times in Counter(touched).items() if times > 1}
    assert not twice


@pytest.fixture(scope="session")
def played(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Round]:
    """Return a function that plays a round, each once."""

    @cache
    def once(number: int) -> Round:
        with twins(ground, tmp_path_factory.mktemp("round")) as both:
            return play(both, number)

    return once


@pytest.mark.parametrize(("number", "name"), MUTATIONS, ids=[name for _, name in MUTATIONS])
def test_a_mutation_is_found_and_applied(
    played: Callable[[int], Round], number: int, name: str
) -> None:
    told = played(number)

    assert told.expected[name]
    for what, fields in told.expected[name].items():
        assert set(told.found[what]) >= set(fields)
        assert bool(told.found[what]) == bool(fields)  # what is new has no fields
        assert what in told.written
        assert told.theirs[what] == told.ours[what]


@pytest.mark.parametrize("number", range(len(ROUNDS)))
def test_nothing_but_the_mutations_is_found_and_nothing_else_changes(
    played: Callable[[int], Round], number: int
) -> None:
    told = played(number)
    whole: dict[Name, set[str]] = {}
    for found in told.expected.values():
        for what, fields in found.items():
            whole.setdefault(what, set()).update(fields)

    assert told.found == {what: tuple(sorted(fields)) for what, fields in whole.items()}
    assert told.result.findings == ()
    # An option set is only ever sent with all its options.
    assert {plural for plural, _ in told.written - whole.keys()} <= {"options"}
    before, after = told.sharing
    assert before == {what: after[what] for what in before}
    assert (told.again.sent, told.again.difference.changes) == (0, ())


def test_there_are_many_mutations_of_every_kind() -> None:
    kinds = {plural for plural, _, _ in FIELDS} | {"organisationUnits"}
    assert len(MUTATIONS) == len(FIELDS) + len(SHAPES) + len(SHAPES_AGAIN) + len(UNITS)
    assert len(MUTATIONS) >= 90
    assert len(kinds) >= 22
