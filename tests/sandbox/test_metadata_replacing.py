"""Does an import of metadata replace whole objects (metadata 2.3, 2.10, 3)?"""

from typing import Any

from sandbox.district import FIRST_NAME, FOLLOW_UP, HIV, PERSON, ROOT
from sandbox.metadata_server import Keeper, element


RULE, ACTION = "dloYswGH55a", "ObMg1wwbWkG"
WEIGHT = "ol1WpmrN6NG"
SEX_SET = "AcCtZkAvAsC"


def test_what_a_program_is_sent_without_is_cleared(every: Keeper) -> None:
    program = every.read("programs", HIV)
    assert program["organisationUnits"]
    assert program["programTrackedEntityAttributes"]
    short = {name: program[name] for name in ("id", "name", "shortName", "programType", "sharing")}

    every.store({"programs": [short]})

    after = every.read("programs", HIV)
    assert after["organisationUnits"] == after["programTrackedEntityAttributes"] == []
    assert after["programStages"] == []
    assert "code" not in after
    assert after["accessLevel"] == "OPEN"
    assert after["categoryCombo"] == program["categoryCombo"]


def test_a_stage_that_a_program_no_longer_lists_has_no_program_and_keeps_its_events(
    every: Keeper,
) -> None:
    program = every.read("programs", HIV)
    rest = [stage for stage in program["programStages"] if stage["id"] != FOLLOW_UP]
    assert len(rest) == len(program["programStages"]) - 1
    stage = every.read("programStages", FOLLOW_UP)

    every.store({"programs": [program | {"programStages": rest}], "programStages": [stage]})

    assert every.read("programs", HIV)["programStages"] == rest
    assert "program" not in every.read("programStages", FOLLOW_UP)


def test_an_option_that_its_set_no_longer_lists_stays_without_a_set(every: Keeper) -> None:
    whole = every.read("optionSets", SEX_SET)
    gone, *rest = whole["options"]
    assert rest

    every.store({"optionSets": [whole | {"options": rest}]})

    assert every.read("optionSets", SEX_SET)["options"] == rest
    assert "optionSet" not in every.read("options", gone["id"])


def test_a_rule_loses_the_action_it_no_longer_lists_and_a_program_no_rule(every: Keeper) -> None:
    rule = every.read("programRules", RULE)
    assert rule["programRuleActions"] == [{"id": ACTION}]

    every.store({"programs": [every.read("programs", HIV)]})
    assert every.uids("programRules") == {RULE}
    every.store({"programRules": [rule | {"programRuleActions": []}]})

    assert every.uids("programRuleActions") == set()
    assert every.uids("programRules") == {RULE}


def test_a_section_that_its_stage_no_longer_lists_is_deleted(one: Keeper) -> None:
    section = {"id": "SectionSec1", "name": "Signes", "programStage": {"id": FOLLOW_UP}}
    stage = one.read("programStages", FOLLOW_UP)
    one.store({"programStageSections": [section], "programStages": [stage]})
    assert one.read("programStages", FOLLOW_UP)["programStageSections"] == [{"id": section["id"]}]

    one.store({"programStages": [stage | {"programStageSections": []}]})

    assert one.uids("programStageSections") == set()


def test_the_rows_inside_of_an_object_are_made_anew(every: Keeper) -> None:
    kind = every.read("trackedEntityTypes", PERSON)
    rows = [
        row
        for row in kind["trackedEntityTypeAttributes"]
        if row["trackedEntityAttribute"]["id"] != FIRST_NAME
    ]
    assert len(rows) == len(kind["trackedEntityTypeAttributes"]) - 1

    every.store({"trackedEntityTypes": [kind | {"trackedEntityTypeAttributes": rows}]})

    after = every.read("trackedEntityTypes", PERSON)["trackedEntityTypeAttributes"]
    assert [row["trackedEntityAttribute"] for row in after] == [
        row["trackedEntityAttribute"] for row in rows
    ]


def test_an_update_moves_the_stamp_and_leaves_who_made_the_object(one: Keeper) -> None:
    before = one.read("dataElements", WEIGHT)
    changed = before | {
        "lastUpdated": "1999-01-01T00:00:00.000",
        "createdBy": {"id": "Somebody001"},
    }

    one.store({"dataElements": [changed]})

    after = one.read("dataElements", WEIGHT)
    assert after["lastUpdated"] > before["lastUpdated"]
    assert after["createdBy"] == before["createdBy"]


def test_members_that_a_version_does_not_know_are_ignored(every: Keeper) -> None:
    program = every.read("programs", HIV)
    newer = {"categoryMappings": [], "enableChangeLog": True, "noSuchMember": 1}

    every.store({"programs": [program | newer], "noSuchClass": [{"id": "Whatever001"}]})

    assert every.read("programs", HIV).keys() == program.keys()


def test_an_equal_version_counts_on_an_older_one_is_kept_and_a_newer_one_is_taken(
    one: Keeper,
) -> None:
    program = one.read("programs", HIV)
    counted = []

    for version in (program["version"], 0, 40):
        one.store({"programs": [program | {"version": version}]})
        counted.append(one.read("programs", HIV)["version"] - program["version"])

    assert counted == [1, 1, 40 - program["version"]]


def test_a_moved_org_unit_takes_what_is_below_it_along(every: Keeper) -> None:
    unit: dict[str, Any] = {"shortName": "Ici", "openingDate": "2020-01-01"}
    new = unit | {"id": "NewUnitNew1", "name": "Ici", "parent": {"id": ROOT}}
    below = unit | {"id": "NewUnitNew2", "name": "Dessous", "parent": {"id": new["id"]}}
    every.store({"organisationUnits": [below, new]})
    placed = every.read("organisationUnits", below["id"])
    assert (placed["path"], placed["level"]) == (f"/{ROOT}/{new['id']}/{below['id']}", 3)

    every.store({"organisationUnits": [{name: new[name] for name in new if name != "parent"}]})

    placed = every.read("organisationUnits", below["id"])
    assert (placed["path"], placed["level"]) == (f"/{new['id']}/{below['id']}", 2)


def test_a_misspelt_mode_is_a_commit_and_a_validation_stores_nothing(every: Keeper) -> None:
    new = {"dataElements": [element("NewElement1", "Taille (cm)")]}

    report = every.store(new, importMode="VALIDATE")
    assert report["stats"]["created"] == 1
    assert "NewElement1" not in every.uids("dataElements")
    every.store(new, importMode="validate", dryRun="true")

    assert "NewElement1" in every.uids("dataElements")


def test_without_atomicity_a_missing_reference_is_left_out_and_the_others_stay(
    every: Keeper,
) -> None:
    program = every.read("programs", HIV)
    units = [*program["organisationUnits"], {"id": "NoSuchUnit1"}]

    answer = every.send({"programs": [program | {"organisationUnits": units}]}, atomicMode="NONE")

    assert answer.json()["response"]["status"] == "WARNING"
    assert every.read("programs", HIV)["organisationUnits"] == program["organisationUnits"]
