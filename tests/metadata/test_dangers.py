"""Is each change that would harm the destination refused, with its reason and before any writing?

Both servers hold the same model and the same people; one of them is changed.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from metadata.grown import (
    ABC,
    CONTACT,
    FIRST_NAME,
    FOLLOW_UP,
    INITIATION,
    LABORATORY,
    NATIONAL_ID,
    NEXT,
    PHONE,
    REGIMENS,
    RULE,
    TDF,
    WEIGHT,
    change,
    option_made_anew,
)
from metadata.objects import Fields
from metadata.twins import ALONE, Ground, contents, twins, written_at
from servers import (
    DAKAR,
    HIV,
    MATERNAL,
    OLDEST_AND_NEWEST,
    PERSON,
    SENEGAL,
    Pair,
    copied,
    put,
    read,
    reader,
    route,
    running,
    stamps,
)
from tracker_sync.findings import Finding
from tracker_sync.metadata import synchronise
from tracker_sync.route import Route


#: One worker runs the check of all that differs there, once.
pytestmark = pytest.mark.xdist_group("dangers")


@dataclass(frozen=True)
class Danger:
    """A change that must not be written.

    Attributes:
        make: Makes it.
        code: What it is refused as.
        named: What the reason names: class, UIDs, fields.
        remedy: What the remedy speaks of.
        terms: The route.
    """

    make: Callable[[Pair], None]
    code: str
    named: tuple[str, ...]
    remedy: str
    terms: Route = ALONE


def at_source(plural: str, uid: str, **fields: Any) -> Callable[[Pair], None]:
    return lambda pair: change(pair.source, plural, uid, **fields)


def clash(
    make: Callable[[Pair], None], plural: str, uid: str, field: str, terms: Route = ALONE
) -> Danger:
    named = (f"{plural} ", f"{uid} ({field}")
    return Danger(make, "metadata_clashes", named, "take the change back at the source", terms)


def code_of_another_attribute(pair: Pair) -> None:
    copied(pair, "trackedEntityAttributes", PHONE, "LocalAttr01", **_names("Autre"), code="TAKEN")
    change(pair.source, "trackedEntityAttributes", PHONE, code="TAKEN")


def code_of_another_program(pair: Pair) -> None:
    local = {"id": "LocalProgr1", **_names("Autre"), "code": "TAKEN"}
    put(pair.destination, "programs", local | {"programType": "WITHOUT_REGISTRATION"})
    change(pair.source, "programs", HIV, code="TAKEN")


def code_of_another_unit(pair: Pair) -> None:
    local = {"id": "LocalUnit01", **_names("Autre"), "code": "TAKEN"}
    put(pair.destination, "organisationUnits", local | {"openingDate": "2020-01-01"})
    new = {"id": "UnitNew0001", **_names("Neuf"), "code": "TAKEN", "parent": {"id": DAKAR}}
    put(pair.source, "organisationUnits", new | {"openingDate": "2020-01-01"})


def name_of_another_set(pair: Pair) -> None:
    copied(pair, "optionSets", REGIMENS, "LocalSet001", name="Régimes", code="LOCAL", options=[])
    change(pair.source, "optionSets", REGIMENS, name="Régimes")


def short_name_of_another_element(pair: Pair) -> None:
    copied(pair, "dataElements", WEIGHT, "LocalElem01", **_names("Pds"), code="LOCAL")
    change(pair.source, "dataElements", WEIGHT, shortName="Pds")


def name_of_another_relationship(pair: Pair) -> None:
    copied(pair, "relationshipTypes", CONTACT, "LocalRelTyp", name="Voisin", code="LOCAL")
    change(pair.source, "relationshipTypes", CONTACT, name="Voisin")


def rule_made_anew(pair: Pair) -> None:
    old = read(pair.source, "programRules", RULE)
    change(pair.source, "programRules", RULE, name="Autre règle")
    for server, uid, name in (
        (pair.source, "RuleNew0001", "Double"),
        (pair.destination, "LocalRule01", "Double"),
    ):
        put(server, "programRules", old | {"id": uid, "name": name, "programRuleActions": []})


def variable_made_anew(pair: Pair) -> None:
    for server, uid in ((pair.source, "VariableNew"), (pair.destination, "LocalVaria1")):
        one = {"id": uid, "name": "double", "program": {"id": HIV}}
        put(
            server,
            "programRuleVariables",
            one | {"programRuleVariableSourceType": "CALCULATED_VALUE"},
        )


def another_type(pair: Pair) -> None:
    other = {"id": "OtherType01", **_names("Ménage"), "sharing": {"public": "rwrw----"}}
    put(pair.source, "trackedEntityTypes", other)
    change(pair.source, "programs", HIV, trackedEntityType={"id": "OtherType01"})


def category_combo(pair: Pair) -> None:
    change(pair.source, "programs", HIV, categoryCombo={"id": "CateCombo01"})


def circle(pair: Pair) -> None:
    below = _child_of(pair, DAKAR)
    change(pair.source, "organisationUnits", DAKAR, parent={"id": below})


def _child_of(pair: Pair, unit: str) -> str:
    params = {"filter": f"parent.id:eq:{unit}", "fields": "id", "paging": "false"}
    uid: str = pair.source.get("/api/organisationUnits", params)["organisationUnits"][0]["id"]
    return uid


def _names(name: str) -> Fields:
    return {"name": name, "shortName": name}


BOTH = route(programs=(HIV, MATERNAL))
DANGERS = {
    "value_type_of_an_element": clash(
        at_source("dataElements", WEIGHT, valueType="TEXT"), "dataElements", WEIGHT, "valueType"
    ),
    "value_type_of_an_attribute": clash(
        at_source("trackedEntityAttributes", PHONE, valueType="TEXT"),
        "trackedEntityAttributes",
        PHONE,
        "valueType",
    ),
    "several_values_of_an_attribute": clash(
        at_source("trackedEntityAttributes", FIRST_NAME, valueType="MULTI_TEXT"),
        "trackedEntityAttributes",
        FIRST_NAME,
        "valueType",
    ),
    "code_of_another_attribute": clash(
        code_of_another_attribute, "trackedEntityAttributes", PHONE, "code is LocalAttr01's"
    ),
    "code_of_another_program": clash(
        code_of_another_program, "programs", HIV, "code is LocalProgr1's"
    ),
    "code_of_another_unit": clash(
        code_of_another_unit, "organisationUnits", "UnitNew0001", "code is LocalUnit01's"
    ),
    "name_of_another_set": clash(
        name_of_another_set, "optionSets", REGIMENS, "name is LocalSet001's"
    ),
    "short_name_of_another_element": clash(
        short_name_of_another_element, "dataElements", WEIGHT, "shortName is LocalElem01's"
    ),
    "name_of_another_relationship": clash(
        name_of_another_relationship, "relationshipTypes", CONTACT, "name is LocalRelTyp's"
    ),
    "option_made_anew": clash(option_made_anew(ABC), "options", "OptionNew01", f"code is {ABC}'s"),
    "option_made_anew_and_still_grouped": Danger(
        option_made_anew(TDF), "metadata_refused", ("OptionNew01: E4028",), "map the option"
    ),
    "rule_made_anew": clash(rule_made_anew, "programRules", "RuleNew0001", "name is LocalRule01's"),
    "variable_made_anew": clash(
        variable_made_anew, "programRuleVariables", "VariableNew", "name is LocalVaria1's"
    ),
    "program_without_registration": clash(
        at_source("programs", HIV, programType="WITHOUT_REGISTRATION"),
        "programs",
        HIV,
        "programType",
    ),
    "another_type": clash(another_type, "programs", HIV, "trackedEntityType"),
    "element_that_is_aggregate": clash(
        at_source("dataElements", WEIGHT, domainType="AGGREGATE"),
        "dataElements",
        WEIGHT,
        "domainType",
    ),
    "stage_of_another_program": clash(
        at_source("programStages", LABORATORY, program={"id": MATERNAL}),
        "programStages",
        LABORATORY,
        "program",
        BOTH,
    ),
    "category_combo_of_a_program": Danger(
        category_combo, "program_category_combination", (f"programs {HIV}",), "out of the route"
    ),
    "units_in_a_circle": Danger(
        circle,
        "org_unit_cycle",
        (DAKAR,),
        "right parent",
        route(programs=(HIV,), org_units=(DAKAR,)),
    ),
    "program_that_is_not_there": Danger(
        lambda _: None,
        "program_unreadable",
        ("NoProgram01",),
        "correct `programs`",
        route(programs=(HIV, "NoProgram01")),
    ),
}


def blocking(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.blocking]


@pytest.mark.parametrize("name", DANGERS)
def test_a_danger_is_refused_with_its_reason_and_nothing_is_written(
    inhabited: Pair, name: str
) -> None:
    danger = DANGERS[name]
    danger.make(inhabited)
    # Something harmless that would be written if it were not for the danger.
    change(inhabited.source, "programStages", INITIATION, description="nouveau")
    before, whole = written_at(inhabited.destination), contents(inhabited.destination)

    result = synchronise(inhabited.source, inhabited.destination, danger.terms)

    stopping = blocking(result.findings)
    assert {finding.code for finding in stopping} == {danger.code}
    for text in danger.named:
        assert any(text in finding.text for finding in stopping)
    assert danger.remedy in stopping[0].remedy
    assert result.sent == 0
    assert written_at(inhabited.destination) == before
    assert contents(inhabited.destination) == whole


@pytest.mark.parametrize(
    ("source", "there", "plural", "uid", "fields"),
    [
        ("2.42.4", "2.43.1", "dataElements", NEXT, {"valueType": "TRACKER_ASSOCIATE"}),
        ("2.42.4", "2.43.1", "trackedEntityAttributes", PHONE, {"valueType": "TRACKER_ASSOCIATE"}),
        (
            "2.43.1",
            "2.41.8",
            "programRuleActions",
            "ObMg1wwbWkG",
            {"programRuleActionType": "SCHEDULEEVENT"},
        ),
    ],
)
def test_what_the_destinations_version_does_not_know_is_refused_and_nothing_is_written(
    tmp_path: Path, source: str, there: str, plural: str, uid: str, fields: Fields
) -> None:
    with (
        running(tmp_path, "from", district=True, version=source) as ours,
        running(tmp_path, "to", version=there) as theirs,
    ):
        change(ours, plural, uid, **fields)

        result = synchronise(ours, theirs, ALONE)

        (finding,) = blocking(result.findings)
        assert finding.code == "value_unknown_there"
        assert f"{plural} {uid}" in finding.text
        assert "update the destination" in finding.remedy
        assert (result.sent, stamps(theirs, "organisationUnits")) == (0, {})


def test_a_short_name_that_only_newer_versions_demand_may_be_taken(tmp_path: Path) -> None:
    with (
        running(tmp_path, "from", district=True, version="2.40.9") as ours,
        running(tmp_path, "to", version="2.42.4") as theirs,
    ):
        local = {"id": "LocalType01", "name": "Habitant", "shortName": "Personne"}
        put(theirs, "trackedEntityTypes", local)

        result = synchronise(ours, theirs, ALONE)

        (finding,) = blocking(result.findings)
        assert finding.code == "metadata_clashes"
        assert f"trackedEntityTypes {PERSON} (shortName is LocalType01's" in finding.text
        assert (result.sent, stamps(theirs, "organisationUnits")) == (0, {})


def test_an_account_that_may_not_write_metadata_is_refused_and_nothing_is_written(
    inhabited: Pair,
) -> None:
    change(inhabited.source, "programs", HIV, name="VIH, suite")
    with reader(inhabited.destination) as limited:
        before = written_at(inhabited.destination)

        result = synchronise(inhabited.source, limited, ALONE)

    (finding,) = blocking(result.findings)
    assert finding.code == "metadata_refused"
    assert f"{HIV}: E3001" in finding.text
    assert result.sent == 0
    assert written_at(inhabited.destination) == before


def test_a_mirror_of_what_is_not_seen_whole_is_refused_and_nothing_is_written(
    inhabited: Pair,
) -> None:
    change(inhabited.source, "programs", HIV, name="VIH, suite")
    before = written_at(inhabited.destination)
    with reader(inhabited.source) as limited:
        terms = route(programs=(HIV,), metadata_extras="mirror")

        result = synchronise(limited, inhabited.destination, terms)

    (finding,) = blocking(result.findings)
    assert finding.code == "mirror_not_seen_whole"
    assert result.sent == 0
    assert written_at(inhabited.destination) == before


def test_a_parent_that_the_source_lost_is_refused_and_nothing_is_written(
    ground: Ground, tmp_path: Path
) -> None:
    older = tmp_path / "older"  # no import of today would let it through
    shutil.copy(ground.source, older)
    with closing(sqlite3.connect(older)) as connection, connection:
        gone = connection.execute("DELETE FROM metadata WHERE uid = ?", (SENEGAL,))
        assert gone.rowcount == 1
    terms = route(programs=(HIV,), org_units=(DAKAR,))
    with twins(replace(ground, source=older), tmp_path) as both:
        before = written_at(both.destination)

        result = synchronise(both.source, both.destination, terms)

        stopping = blocking(result.findings)
        assert {finding.code for finding in stopping} == {"reference_unresolved"}
        assert f"organisationUnits {SENEGAL}" in stopping[0].text
        assert result.sent == 0
        assert written_at(both.destination) == before


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
@pytest.mark.parametrize(
    ("plural", "uid"), [("dataElements", WEIGHT), ("trackedEntityAttributes", PHONE)]
)
def test_data_that_the_account_may_not_look_for_counts_as_there(
    tmp_path: Path, version: str, plural: str, uid: str
) -> None:
    with (
        running(tmp_path, "from", district=True, version=version) as source,
        running(tmp_path, "to", version=version) as destination,
    ):
        synchronise(source, destination, ALONE)
        assert destination.get("/api/me")["organisationUnits"] == []
        change(source, plural, uid, valueType="TEXT")
        before = written_at(destination)

        result = synchronise(source, destination, ALONE)

        (finding,) = blocking(result.findings)
        assert finding.code == "metadata_clashes"
        assert f"{uid} (valueType" in finding.text
        assert written_at(destination) == before


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("org_units_moved", {"parent": {"id": "LF87lmoDPcJ"}}),
        ("org_units_differ", {"closedDate": "2026-06-30"}),
        ("org_units_differ", {"name": "Dakar, région"}),
    ],
)
def test_an_org_unit_is_not_moved_closed_or_renamed_unasked(
    inhabited: Pair, code: str, fields: Fields
) -> None:
    change(inhabited.source, "organisationUnits", DAKAR, **fields)
    before = written_at(inhabited.destination)

    result = synchronise(inhabited.source, inhabited.destination, ALONE)

    (finding,) = [one for one in result.findings if one.code == code]
    assert f"{DAKAR} ({', '.join(fields)})" in finding.text
    assert "metadata_org_units: update" in finding.remedy
    assert not finding.blocking
    assert (result.sent, written_at(inhabited.destination)) == (0, before)


def rows(plural: str, uid: str, field: str, **changes: Any) -> Callable[[Dhis2Client], None]:
    """Return what changes a row's fields; without any, it takes the last row away."""

    def make(server: Dhis2Client) -> None:
        held = read(server, plural, uid)[field]
        new = [row | changes for row in held] if changes else held[:-1]
        change(server, plural, uid, **{field: new})

    return make


def there(plural: str, uid: str, **fields: Any) -> Callable[[Dhis2Client], None]:
    return lambda server: change(server, plural, uid, **fields)


def end_narrowed(server: Dhis2Client) -> None:
    end = read(server, "relationshipTypes", CONTACT)["toConstraint"]
    change(server, "relationshipTypes", CONTACT, toConstraint=end | {"program": {"id": HIV}})


PROGRAM_ROWS, STAGE_ROWS = "programTrackedEntityAttributes", "programStageDataElements"
#: What the destination has otherwise: class, UID, field, and what makes it so.
STRICTER: dict[str, tuple[str, str, str, Callable[[Dhis2Client], None]]] = {
    "option_missing": (
        "optionSets",
        REGIMENS,
        "options",
        rows("optionSets", REGIMENS, "options"),
    ),
    "unit_not_assigned": (
        "programs",
        HIV,
        "organisationUnits",
        rows("programs", HIV, "organisationUnits"),
    ),
    "attribute_mandatory": (
        "programs",
        HIV,
        PROGRAM_ROWS,
        rows("programs", HIV, PROGRAM_ROWS, mandatory=True),
    ),
    "element_missing": (
        "programStages",
        FOLLOW_UP,
        STAGE_ROWS,
        rows("programStages", FOLLOW_UP, STAGE_ROWS),
    ),
    "element_compulsory": (
        "programStages",
        LABORATORY,
        STAGE_ROWS,
        rows("programStages", LABORATORY, STAGE_ROWS, compulsory=True),
    ),
    "stage_not_repeatable": (
        "programStages",
        FOLLOW_UP,
        "repeatable",
        there("programStages", FOLLOW_UP, repeatable=False),
    ),
    "stage_without_place": (
        "programStages",
        INITIATION,
        "featureType",
        there("programStages", INITIATION, featureType="NONE"),
    ),
    "attribute_unique": (
        "trackedEntityAttributes",
        FIRST_NAME,
        "unique",
        there("trackedEntityAttributes", FIRST_NAME, unique=True),
    ),
    "attribute_generated": (
        "trackedEntityAttributes",
        NATIONAL_ID,
        "pattern",
        there("trackedEntityAttributes", NATIONAL_ID, pattern="RANDOM(####)"),
    ),
    "attribute_masked": (
        "trackedEntityAttributes",
        PHONE,
        "fieldMask",
        there("trackedEntityAttributes", PHONE, fieldMask="+221#########"),
    ),
    "one_enrollment_each": (
        "programs",
        HIV,
        "onlyEnrollOnce",
        there("programs", HIV, onlyEnrollOnce=True),
    ),
    "closed_program": (
        "programs",
        HIV,
        "accessLevel",
        there("programs", HIV, accessLevel="CLOSED"),
    ),
    "expiring_program": ("programs", HIV, "expiryDays", there("programs", HIV, expiryDays=5)),
    "no_future_enrollments": (
        "programs",
        HIV,
        "selectEnrollmentDatesInFuture",
        there("programs", HIV, selectEnrollmentDatesInFuture=False),
    ),
    "closed_unit": (
        "organisationUnits",
        DAKAR,
        "closedDate",
        there("organisationUnits", DAKAR, closedDate="2026-01-31"),
    ),
    "option_of_another_code": ("options", TDF, "code", there("options", TDF, code="TLD")),
    "element_with_options": (
        "dataElements",
        NEXT,
        "optionSet",
        there("dataElements", NEXT, optionSet={"id": REGIMENS}),
    ),
    "end_of_a_relationship_narrowed": ("relationshipTypes", CONTACT, "toConstraint", end_narrowed),
    "type_without_place": (
        "trackedEntityTypes",
        PERSON,
        "featureType",
        there("trackedEntityTypes", PERSON, featureType="NONE"),
    ),
}


@pytest.fixture(scope="session")
def checked(
    ground: Ground, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], tuple[Finding, ...]]:
    """Return a function that has all of it checked, once."""

    @cache
    def once() -> tuple[Finding, ...]:
        with twins(ground, tmp_path_factory.mktemp("checked"), inhabited=True) as both:
            for _, _, _, make in STRICTER.values():
                make(both.destination)
            before = written_at(both.destination)
            terms = route(programs=(HIV,), metadata="check")
            result = synchronise(both.source, both.destination, terms)
            assert (result.sent, written_at(both.destination)) == (0, before)
            return result.findings

    return once


@pytest.mark.parametrize("name", STRICTER)
def test_a_check_stops_at_what_would_have_data_refused(
    checked: Callable[[], tuple[Finding, ...]], name: str
) -> None:
    plural, uid, field, _ = STRICTER[name]

    (finding,) = [one for one in blocking(checked()) if f"in {plural} " in one.text]

    assert finding.code == "metadata_differs"
    fields = finding.text.split(f"{uid} (")[1].split(")")[0].split(", ")
    assert field in fields
    assert "metadata: apply" in finding.remedy


def test_there_are_many_dangers() -> None:
    assert len(DANGERS) >= 19
    assert len(STRICTER) >= 19
