"""What does an import of metadata refuse, and in which words (metadata 2.6 to 2.8)?"""

import re
from pathlib import Path
from typing import Any

import pytest

from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.problems import CODES
from sandbox.district import FOLLOW_UP, HIV, PERSON
from sandbox.metadata_server import VERSIONS, Keeper, element, keeper, refusals


NEW = "NewElement1"
WEIGHT, SEX_SET, RULE, VARIABLE = "ol1WpmrN6NG", "AcCtZkAvAsC", "dloYswGH55a", "CSRWrMmTjGH"


def test_a_strategy_finds_too_much_or_too_little(every: Keeper) -> None:
    stored = {"dataElements": [every.read("dataElements", WEIGHT)]}
    new = {"dataElements": [element(NEW, "Taille")]}

    assert refusals(every.send(stored, importStrategy="CREATE")) == {(WEIGHT, "E5000")}
    assert refusals(every.send(new, importStrategy="UPDATE")) == {(NEW, "E5001")}
    assert refusals(every.send(new, importStrategy="DELETE")) == {(NEW, "E5001")}


def test_a_name_belongs_to_whoever_had_it_first(every: Keeper) -> None:
    taken = every.read("dataElements", WEIGHT)["name"]
    two = [element(NEW, "Taille"), element("NewElement2", "Taille")]

    answer = every.send({"dataElements": [element(NEW, taken, shortName="Autre")]})

    assert refusals(answer) == {(NEW, "E5003")}
    assert refusals(every.send({"dataElements": two})) == {("NewElement2", "E5003")}


def test_two_programs_may_share_a_name_but_no_code(one: Keeper) -> None:
    program = one.read("programs", HIV)
    twin = {name: program[name] for name in ("name", "shortName", "programType")}
    twin |= {"id": "TwinTwinTw1", "trackedEntityType": {"id": PERSON}}

    one.store({"programs": [twin]})

    answer = one.send({"programs": [twin | {"id": "TwinTwinTw2", "code": program["code"]}]})
    assert refusals(answer) == {("TwinTwinTw2", "E5003")}


def test_one_uid_twice_in_a_payload_is_refused(every: Keeper) -> None:
    new = element(NEW, "Taille")

    assert refusals(every.send({"dataElements": [new, new]})) == {(NEW, "E5004")}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_type_needs_a_short_name_from_2_42_on(data: Path, version: str) -> None:
    with keeper(data, version) as server:
        kind = server.read("trackedEntityTypes", PERSON)
        assert ("shortName" in kind) == (version >= "2.42")
        short = {name: value for name, value in kind.items() if name != "shortName"}

        answer = server.send({"trackedEntityTypes": [short]})

    assert refusals(answer) == ({(PERSON, "E4000")} if version >= "2.42" else set())


@pytest.mark.parametrize("plural", ["categoryOptions", "constants"])
def test_a_category_option_or_constant_needs_a_short_name(every: Keeper, plural: str) -> None:
    answer = every.send({plural: [{"id": NEW, "name": "Partenaire", "value": 1}]})

    assert refusals(answer) == {(NEW, "E4000")}


def test_a_text_may_be_too_long(one: Keeper) -> None:
    answer = one.send({"dataElements": [element(NEW, "Taille", shortName="x" * 51)]})

    assert refusals(answer) == {(NEW, "E4001")}


def test_a_code_belongs_to_one_option_of_a_set_as_long_as_it_is_linked(every: Keeper) -> None:
    whole = every.read("optionSets", SEX_SET)
    first = every.read("options", whole["options"][0]["id"])
    again = {"id": "NewOption01", "code": first["code"], "name": "Autre", "sortOrder": 3}
    again["optionSet"] = {"id": SEX_SET}
    others = whole | {"options": [*whole["options"][1:], {"id": again["id"]}]}

    answer = every.send({"options": [again], "optionSets": [others]})
    assert refusals(answer) == {(again["id"], "E4028")}

    every.store({"optionSets": [whole | {"options": whole["options"][1:]}]})
    every.store({"options": [again], "optionSets": [others]})
    assert every.read("optionSets", SEX_SET)["options"] == others["options"]


@pytest.mark.parametrize(
    ("plural", "uid", "code"),
    [("programRules", RULE, "E4057"), ("programRuleVariables", VARIABLE, "E4051")],
)
def test_a_program_has_one_rule_and_one_variable_of_a_name(
    every: Keeper, plural: str, uid: str, code: str
) -> None:
    again = every.read(plural, uid) | {"id": NEW, "programRuleActions": []}

    assert refusals(every.send({plural: [again]})) == {(NEW, code)}


def test_a_stage_belongs_to_a_program(every: Keeper) -> None:
    stage = every.read("programStages", FOLLOW_UP)
    alone = {name: value for name, value in stage.items() if name != "program"}

    assert refusals(every.send({"programStages": [alone]})) == {(FOLLOW_UP, "E4053")}
    every.store({"programStages": [alone], "programs": [every.read("programs", HIV)]})
    assert every.read("programStages", FOLLOW_UP)["program"] == {"id": HIV}


def test_a_list_names_an_object_once(one: Keeper) -> None:
    program = one.read("programs", HIV)
    units = [*program["organisationUnits"], program["organisationUnits"][0]]

    answer = one.send({"programs": [program | {"organisationUnits": units}]})

    assert refusals(answer) == {(HIV, "E5007")}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_word_that_an_enum_does_not_know_refuses_the_whole_payload(
    data: Path, version: str
) -> None:
    payload = {"dataElements": [element(NEW, "Taille"), element("NewElement2", "Référent")]}
    payload["dataElements"][1]["valueType"] = "TRACKER_ASSOCIATE"
    unknown = {"dataElements": [element(NEW, "Taille", valueType="NO_SUCH_TYPE")]}

    with keeper(data, version) as server:
        said = server.send(unknown)
        associate = server.send(payload)

        expected = 409 if version >= "2.43" else 500
        assert (said.status_code, "response" in said.json()) == (expected, False)
        assert associate.status_code == (409 if version >= "2.43" else 200)
        assert (NEW in server.uids("dataElements")) == (version < "2.43")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_event_is_scheduled_by_rules_from_2_43_on(data: Path, version: str) -> None:
    with keeper(data, version) as server:
        action = server.read("programRuleActions", "ObMg1wwbWkG")
        answer = server.send(
            {"programRuleActions": [action | {"programRuleActionType": "SCHEDULEEVENT"}]}
        )

    assert answer.status_code == (200 if version >= "2.43" else 500)


def test_a_full_report_names_every_object(every: Keeper) -> None:
    new: dict[str, Any] = {"dataElements": [element(NEW, "Taille")]}

    tried = every.store(new, importMode="VALIDATE", importReportMode="FULL")
    done = every.store(new, importReportMode="FULL")

    assert tried["typeReports"][0]["objectReports"] == []
    assert [item["uid"] for item in done["typeReports"][0]["objectReports"]] == [NEW]
    assert "importParams" not in done


def test_an_export_of_everything_takes_an_authority(every: Keeper) -> None:
    limited = every.account()
    session, url = limited.caller.session, limited.caller.base_url

    for path in ("/api/metadata", "/api/metadata?typo=true", f"/api/programs/{HIV}/metadata"):
        assert session.get(url + path, timeout=30).status_code == 409
    assert session.get(f"{url}/api/metadata?programs=true", timeout=30).status_code == 200


def test_the_document_names_every_code_and_counts_the_classes() -> None:
    document = Path(__file__).parents[2] / "docs" / "sandbox.md"

    section = document.read_text(encoding="utf-8").split("## Metadata\n")[1].split("\n## ")[0]

    assert set(re.findall(r"E\d{4}", section)) == CODES
    assert f"the {len(CLASSES)} classes" in section
