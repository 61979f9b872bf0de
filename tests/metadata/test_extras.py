"""Does a destination keep all that is its own, whatever changes at the source?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from dhis2_api.client import Dhis2Client
from metadata.grown import (
    FOLLOW_UP,
    INDICATOR,
    LEGENDS,
    LINES,
    MARK,
    PHONE,
    REGIMENS,
    RULE,
    SECTION,
    STAGE_SECTION,
    TOWNS,
    WEIGHT,
    add,
    change,
)
from metadata.objects import Fields, ids
from metadata.twins import ALONE, Name, contents, moved, shared, written_at
from servers import DAKAR, HIV, PERSON, SENEGAL, SEX, Pair, add_option, put, read
from tracker_sync.metadata import synchronise


#: An extra: where it stands, and in which list of it a row names what.
Extra = tuple[Name, str, str]

OF_HIV = {"program": {"id": HIV}}
LOCAL_UNIT, LOCAL_GROUP = "LocalUnit01", "LocalGroup1"


def stage(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalStage1", "name": "Visite locale", "sortOrder": 8, **OF_HIV}
    put(server, "programStages", local)
    return ("programs", HIV), "programStages", "LocalStage1"


def rule(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalRule01", "name": "Règle locale", "condition": "true", **OF_HIV}
    put(server, "programRules", local)
    return ("programRules", "LocalRule01"), "", ""


def variable(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalVaria1", "name": "locale", **OF_HIV}
    kind = {"programRuleVariableSourceType": "CALCULATED_VALUE"}
    put(server, "programRuleVariables", local | kind)
    return ("programRuleVariables", "LocalVaria1"), "", ""


def indicator(server: Dhis2Client) -> Extra:
    names = {"id": "LocalIndic1", "name": "Indicateur local", "shortName": "Local"}
    put(server, "programIndicators", {**names, "expression": "1", **OF_HIV})
    return ("programIndicators", "LocalIndic1"), "", ""


def action(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalActio1", "programRuleActionType": "SHOWWARNING"}
    more = {"content": "Attention", "dataElement": {"id": WEIGHT}, "programRule": {"id": RULE}}
    put(server, "programRuleActions", local | more)
    return ("programRules", RULE), "programRuleActions", "LocalActio1"


def option(server: Dhis2Client) -> Extra:
    return ("optionSets", SEX), "options", add_option(server, "LOCAL")


def option_group_member(server: Dhis2Client) -> Extra:
    other = read(server, "optionSets", REGIMENS)["options"][-1]
    add(server, "optionGroups", LINES, "options", other)
    return ("optionGroups", LINES), "options", other["id"]


def element_of_a_stage(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalElem01", "name": "Note locale", "shortName": "Note locale"}
    kind = {"valueType": "TEXT", "domainType": "TRACKER", "aggregationType": "NONE"}
    put(server, "dataElements", local | kind)
    row = {"dataElement": {"id": "LocalElem01"}, "sortOrder": 9}
    add(server, "programStages", FOLLOW_UP, "programStageDataElements", row)
    return ("programStages", FOLLOW_UP), "programStageDataElements", "LocalElem01"


def element_of_a_section(server: Dhis2Client) -> Extra:
    add(server, "programStageSections", STAGE_SECTION, "dataElements", {"id": "auU4HhEFrfW"})
    return ("programStageSections", STAGE_SECTION), "dataElements", "auU4HhEFrfW"


def attribute_of(plural: str, uid: str, field: str, server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalAttr01", "name": "Village", "shortName": "Village"}
    put(server, "trackedEntityAttributes", local | {"valueType": "TEXT", "aggregationType": "NONE"})
    add(server, plural, uid, field, {"trackedEntityAttribute": {"id": "LocalAttr01"}})
    return (plural, uid), field, "LocalAttr01"


def attribute_of_a_section(server: Dhis2Client) -> Extra:
    add(server, "programSections", SECTION, "trackedEntityAttributes", {"id": "igrbHRNTbIn"})
    return ("programSections", SECTION), "trackedEntityAttributes", "igrbHRNTbIn"


def section(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalSecti1", "name": "Suite", "sortOrder": 2, **OF_HIV}
    put(server, "programSections", local | {"trackedEntityAttributes": ids(PHONE)})
    return ("programs", HIV), "programSections", "LocalSecti1"


def legend(server: Dhis2Client) -> Extra:
    row: Fields = {"id": "LocalLegen1", "name": "Extrême", "color": "#000000"}
    add(server, "legendSets", LEGENDS, "legends", row | {"startValue": 200.0, "endValue": 500.0})
    return ("legendSets", LEGENDS), "legends", "Extrême"


def legend_set_of_an_indicator(server: Dhis2Client) -> Extra:
    put(server, "legendSets", {"id": "LocalLegSet", "name": "Tranches locales"})
    add(server, "programIndicators", INDICATOR, "legendSets", {"id": "LocalLegSet"})
    return ("programIndicators", INDICATOR), "legendSets", "LocalLegSet"


def unit(server: Dhis2Client) -> Extra:
    local: Fields = {"id": LOCAL_UNIT, "name": "Case locale", "shortName": "Case locale"}
    put(server, "organisationUnits", local | {"openingDate": "2020-01-01", "parent": {"id": DAKAR}})
    return ("organisationUnits", LOCAL_UNIT), "", ""


def assignment(server: Dhis2Client) -> Extra:
    unit(server)
    add(server, "programs", HIV, "organisationUnits", {"id": LOCAL_UNIT})
    return ("programs", HIV), "organisationUnits", LOCAL_UNIT


def assignment_outside_the_route(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "OutsideUnit", "name": "Ailleurs", "shortName": "Ailleurs"}
    put(server, "organisationUnits", local | {"openingDate": "2020-01-01"})
    add(server, "programs", HIV, "organisationUnits", {"id": "OutsideUnit"})
    return ("programs", HIV), "organisationUnits", "OutsideUnit"


def unit_of_a_group(server: Dhis2Client) -> Extra:
    add(server, "organisationUnitGroups", TOWNS, "organisationUnits", {"id": SENEGAL})
    return ("organisationUnitGroups", TOWNS), "organisationUnits", SENEGAL


def translation(server: Dhis2Client) -> Extra:
    row = {"locale": "wo", "property": "NAME", "value": "Sida"}
    add(server, "programs", HIV, "translations", row)
    return ("programs", HIV), "translations", "wo NAME"


def value_of_an_attribute(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalMark01", "name": "Repère local", "valueType": "TEXT"}
    put(server, "attributes", local | {"programAttribute": True})
    row = {"attribute": {"id": "LocalMark01"}, "value": "A"}
    add(server, "programs", HIV, "attributeValues", row)
    return ("programs", HIV), "attributeValues", "LocalMark01"


def relationship_type(server: Dhis2Client) -> Extra:
    end = {"relationshipEntity": "TRACKED_ENTITY_INSTANCE", "trackedEntityType": {"id": PERSON}}
    local: Fields = {"id": "LocalRelTyp", "name": "Voisin", "fromToName": "voisin de"}
    put(server, "relationshipTypes", local | {"fromConstraint": end, "toConstraint": end})
    return ("relationshipTypes", "LocalRelTyp"), "", ""


def program(server: Dhis2Client) -> Extra:
    local: Fields = {"id": "LocalProgr1", "name": "Programme local", "shortName": "Local"}
    put(server, "programs", local | {"programType": "WITHOUT_REGISTRATION"})
    return ("programs", "LocalProgr1"), "", ""


EXTRAS: dict[str, Callable[[Dhis2Client], Extra]] = {
    **{
        made.__name__: made
        for made in (
            stage,
            rule,
            variable,
            indicator,
            action,
            option,
            option_group_member,
            element_of_a_stage,
            element_of_a_section,
            attribute_of_a_section,
            section,
            legend,
            legend_set_of_an_indicator,
            unit,
            assignment,
            assignment_outside_the_route,
            unit_of_a_group,
            translation,
            value_of_an_attribute,
            relationship_type,
            program,
        )
    },
    "attribute_of_the_program": partial(
        attribute_of, "programs", HIV, "programTrackedEntityAttributes"
    ),
    "attribute_of_the_type": partial(
        attribute_of, "trackedEntityTypes", PERSON, "trackedEntityTypeAttributes"
    ),
}

#: What changes at the source afterwards: every object that has an extra in one of its lists.
TOUCHED: dict[Name, Fields] = {
    ("programs", HIV): {"name": "VIH, suite"},
    ("programStages", FOLLOW_UP): {"name": "Suivi"},
    ("programStageSections", STAGE_SECTION): {"name": "Examens"},
    ("programSections", SECTION): {"name": "Personne"},
    ("programRules", RULE): {"condition": "#{poids} > 300"},
    ("programIndicators", INDICATOR): {"decimals": 3},
    ("optionSets", SEX): {"name": "Sexes"},
    ("optionGroups", LINES): {"name": "Lignes"},
    ("legendSets", LEGENDS): {"name": "Tranches"},
    ("organisationUnitGroups", TOWNS): {"name": "Cités"},
    ("trackedEntityTypes", PERSON): {"name": "Patient"},
}
#: Of what somebody at the destination made the sharing his own.
SHARED = [
    ("programs", HIV),
    ("programStages", FOLLOW_UP),
    ("trackedEntityTypes", PERSON),
    ("optionSets", SEX),
    ("programIndicators", INDICATOR),
]


def names_in(rows: list[Fields]) -> set[str]:
    """Return what names the rows of a list, whatever they join."""
    joined = ("trackedEntityAttribute", "dataElement", "attribute")
    named = {row[name]["id"] for row in rows for name in joined if name in row}
    named |= {row["id"] for row in rows if "id" in row}
    named |= {str(row.get("name")) for row in rows}
    return named | {f"{row.get('locale')} {row.get('property')}" for row in rows}


def is_there(server: Dhis2Client, extra: Extra) -> bool:
    (plural, uid), field, named = extra
    fields = read(server, plural, uid)
    return not field or named in names_in(fields[field])


@pytest.fixture
def own(both: Pair) -> Pair:
    """A destination that has the model and made it its own."""
    for plural, uid in SHARED:
        closed = read(both.destination, plural, uid)["sharing"]
        group = {"id": LOCAL_GROUP, "access": "rw------"}
        mine = {"public": "r-------", "userGroups": {LOCAL_GROUP: group}}
        put(both.destination, "userGroups", {"id": LOCAL_GROUP, "name": "Équipe locale"})
        change(both.destination, plural, uid, sharing=closed | mine)
    return both


def test_all_that_is_the_destinations_own_stays_and_makes_no_difference(own: Pair) -> None:
    extras = {name: made(own.destination) for name, made in EXTRAS.items() if name != "unit"}
    assert len(extras) >= 20
    before, sharing = contents(own.destination), shared(own.destination)
    stamps = written_at(own.destination)

    result = synchronise(own.source, own.destination, ALONE)

    assert (result.sent, result.difference.changes) == (0, ())
    assert not [finding for finding in result.findings if finding.blocking]
    assert contents(own.destination) == before
    assert written_at(own.destination) == stamps
    assert shared(own.destination) == sharing


def test_extras_sharing_and_assignments_survive_changes_of_all_they_stand_in(own: Pair) -> None:
    extras = {name: made(own.destination) for name, made in EXTRAS.items()}
    sharing, stamps = shared(own.destination), written_at(own.destination)
    for (plural, uid), fields in TOUCHED.items():
        change(own.source, plural, uid, **fields)

    result = synchronise(own.source, own.destination, ALONE)

    assert {(one.plural, one.uid) for one in result.difference.changes} == TOUCHED.keys()
    lost = [name for name, extra in extras.items() if not is_there(own.destination, extra)]
    assert lost == []
    assert shared(own.destination) == sharing
    carried = moved(stamps, written_at(own.destination)) - TOUCHED.keys()
    assert {plural for plural, _ in carried} <= {"options"}
    for (plural, uid), fields in TOUCHED.items():
        after = read(own.destination, plural, uid)
        assert {name: after[name] for name in fields} == fields
    assert synchronise(own.source, own.destination, ALONE).sent == 0


def test_what_the_source_takes_away_stays_at_the_destination(both: Pair) -> None:
    change(both.source, "programs", HIV, attributeValues=[], organisationUnits=ids(SENEGAL))
    before = read(both.destination, "programs", HIV)
    assert {row["attribute"]["id"] for row in before["attributeValues"]} == {MARK}
    assert len(before["organisationUnits"]) > 30

    result = synchronise(both.source, both.destination, ALONE)

    assert (result.sent, read(both.destination, "programs", HIV)) == (0, before)
    assert result.counts["organisationUnits"].gone > 30
