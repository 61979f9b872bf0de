"""Does `check` stop only where data would be refused or lost?"""

from __future__ import annotations

from typing import Any

import pytest

from metadata.objects import Fields, ids, option_set, program
from tracker_sync.metadata.defaults import USUAL
from tracker_sync.metadata.difference import difference
from tracker_sync.metadata.harm import OF_DATA, harm_of
from tracker_sync.metadata.judgement import differing, unsupported


def harms(plural: str, ours: Fields, theirs: Fields) -> tuple[str, ...]:
    here, there = {plural: {ours["id"]: ours}}, {plural: {theirs["id"]: theirs}}
    (change,) = difference(here, there).changes
    return harm_of(change, there)


def rows(*attributes: str, **more: Any) -> list[Fields]:
    return [{"trackedEntityAttribute": {"id": uid}, "sortOrder": 1, **more} for uid in attributes]


def of(**fields: Any) -> Fields:
    return {"id": "abcdefghij1", "name": "x", **fields}


@pytest.mark.parametrize(
    ("plural", "ours", "theirs", "field"),
    [
        ("trackedEntityAttributes", {}, {"unique": True}, "unique"),
        ("trackedEntityAttributes", {}, {"pattern": "RANDOM(###)"}, "pattern"),
        ("trackedEntityAttributes", {"orgunitScope": True}, {}, "orgunitScope"),
        ("dataElements", {}, {"optionSet": {"id": "setThere001"}}, "optionSet"),
        ("options", {"code": "F"}, {"code": "FEMME"}, "code"),
        ("programStages", {"repeatable": True}, {}, "repeatable"),
        ("programStages", {"enableUserAssignment": True}, {}, "enableUserAssignment"),
        ("programs", {}, {"onlyEnrollOnce": True}, "onlyEnrollOnce"),
        ("programs", {}, {"accessLevel": "CLOSED"}, "accessLevel"),
        ("programs", {}, {"expiryDays": 5}, "expiryDays"),
        ("programs", {"organisationUnits": ids("unitHere001")}, {}, "organisationUnits"),
        ("optionSets", {"options": ids("optionNew01")}, {}, "options"),
        (
            "programs",
            {"programTrackedEntityAttributes": rows("attribute01")},
            {"programTrackedEntityAttributes": rows("attribute01", mandatory=True)},
            "programTrackedEntityAttributes",
        ),
        (
            "programs",
            {"programTrackedEntityAttributes": rows("attribute01")},
            {},
            "programTrackedEntityAttributes",
        ),
        (
            "relationshipTypes",
            {"toConstraint": {"program": {"id": "programHere"}}},
            {"toConstraint": {"program": {"id": "programElse"}}},
            "toConstraint",
        ),
    ],
)
def test_what_would_have_data_refused_is_named(
    plural: str, ours: Fields, theirs: Fields, field: str
) -> None:
    assert harms(plural, of(**ours), of(**theirs)) == (field,)


@pytest.mark.parametrize(
    ("plural", "ours", "theirs"),
    [
        ("programs", {"name": "VIH"}, {}),
        ("programs", {"onlyEnrollOnce": True}, {}),
        ("programs", {"expiryDays": 5}, {}),
        ("trackedEntityAttributes", {"unique": True}, {}),
        ("dataElements", {"optionSet": {"id": "setHere0001"}}, {}),
        ("programStages", {}, {"repeatable": True}),
        (
            "programs",
            {"programTrackedEntityAttributes": rows("attribute01", mandatory=True)},
            {"programTrackedEntityAttributes": rows("attribute01", searchable=True)},
        ),
        (
            "relationshipTypes",
            {"toConstraint": {"trackerDataView": {"attributes": ["attribute01"]}}},
            {},
        ),
    ],
)
def test_what_lets_all_data_in_is_only_told(plural: str, ours: Fields, theirs: Fields) -> None:
    ours, theirs = of(**ours), of(**theirs)
    (change,) = difference({plural: {ours["id"]: ours}}, {plural: {ours["id"]: theirs}}).changes

    assert harm_of(change, {plural: {ours["id"]: theirs}}) == ()
    (finding,) = differing([change], {plural: {ours["id"]: theirs}})
    assert (finding.code, finding.blocking) == ("metadata_drifts", False)


def test_an_order_of_options_is_told_and_a_missing_option_blocks() -> None:
    there = {"optionSets": {"AcCtZkAvAsC": option_set()}}
    other = option_set(options=ids("fYYf3ulYkiz", "FGYUJQ5e1rA"))

    (reordered,) = difference({"optionSets": {other["id"]: other}}, there).changes

    assert reordered.fields == ("options",)
    assert harm_of(reordered, there) == ()


@pytest.mark.parametrize("plural", ["programs", "options", "organisationUnits"])
def test_an_object_of_data_that_is_missing_blocks(plural: str) -> None:
    (change,) = difference({plural: {"abcdefghij1": of()}}, {}).changes

    assert plural in OF_DATA
    (finding,) = differing([change], {})
    assert finding.blocking
    assert "abcdefghij1 (new)" in finding.text
    assert finding.remedy


@pytest.mark.parametrize("plural", ["programRules", "programIndicators", "legendSets"])
def test_an_object_that_no_data_stands_in_is_told(plural: str) -> None:
    (change,) = difference({plural: {"abcdefghij1": of()}}, {}).changes

    (finding,) = differing([change], {})

    assert (finding.code, finding.blocking) == ("metadata_drifts", False)


def test_only_the_fields_that_refuse_are_named_as_such() -> None:
    ours = program(name="VIH, nouveau", organisationUnits=ids("unitHere001"))
    there = {"programs": {ours["id"]: program(organisationUnits=[])}}

    (change,) = difference({"programs": {ours["id"]: ours}}, there).changes
    (finding,) = differing([change], there)

    assert change.fields == ("name", "organisationUnits")
    assert f"{ours['id']} (organisationUnits)" in finding.text


@pytest.mark.parametrize("name", ["categoryCombo", "enrollmentCategoryCombo"])
def test_a_program_with_a_category_combination_of_its_own_is_told_why_and_what_to_do(
    name: str,
) -> None:
    default, own = {"id": "bjDvmb4bfuf"}, {"id": "CateCombo01"}
    programs: dict[str, Any] = {
        "ProgramDef1": {"id": "ProgramDef1", name: default},
        "ProgramNone": {"id": "ProgramNone"},
        "ProgramOwn1": {"id": "ProgramOwn1", "categoryCombo": default} | {name: own},
    }

    (finding,) = unsupported({"programs": programs}, USUAL)

    assert (finding.code, finding.blocking) == ("program_category_combination", True)
    assert f"programs ProgramOwn1 has a {name} of its own, CateCombo01" in finding.text
    assert "may not read" in finding.text
    assert "E1131" in finding.text
    assert "`option_combos`" in finding.remedy
