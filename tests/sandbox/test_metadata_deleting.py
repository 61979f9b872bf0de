"""What may be deleted, and what goes with it (metadata 2.7, 3)?"""

import pytest

from sandbox.district import FIRST_NAME, FOLLOW_UP, HIV, PERSON
from sandbox.metadata_server import Keeper, element, refusals


NEW = "NewElement1"
WEIGHT, SEX_SET, RULE, ACTION, VARIABLE = (
    "ol1WpmrN6NG",
    "AcCtZkAvAsC",
    "dloYswGH55a",
    "ObMg1wwbWkG",
    "CSRWrMmTjGH",
)


@pytest.mark.parametrize(
    ("plural", "uid"),
    [
        ("programs", HIV),
        ("programStages", FOLLOW_UP),
        ("trackedEntityTypes", PERSON),
        ("trackedEntityAttributes", FIRST_NAME),
        ("optionSets", SEX_SET),
        ("dataElements", WEIGHT),
    ],
)
def test_what_something_is_built_on_stays(one: Keeper, plural: str, uid: str) -> None:
    answer = one.send({plural: [{"id": uid}]}, importStrategy="DELETE")
    by_address = one.caller.session.delete(f"{one.caller.base_url}/api/{plural}/{uid}", timeout=30)

    assert (answer.status_code, refusals(answer)) == (409, {(uid, "E4030")})
    assert answer.json()["response"]["stats"]["ignored"] == 1
    assert (by_address.status_code, by_address.json()["errorCode"]) == (409, "E4030")
    assert uid in one.uids(plural)


def test_one_object_that_stays_keeps_the_others_of_the_request(every: Keeper) -> None:
    every.store({"dataElements": [element(NEW, "Taille")]})
    both = {"dataElements": [{"id": NEW}, {"id": WEIGHT}]}

    assert every.send(both, importStrategy="DELETE").status_code == 409
    assert {NEW, WEIGHT} <= every.uids("dataElements")
    every.send(both, importStrategy="DELETE", atomicMode="NONE")

    assert every.uids("dataElements") & {NEW, WEIGHT} == {WEIGHT}


def test_rules_and_variables_go_when_they_are_told_to(every: Keeper) -> None:
    gone = {"programRules": [{"id": RULE}], "programRuleVariables": [{"id": VARIABLE}]}

    report = every.store(gone, importStrategy="DELETE")

    assert report["stats"]["deleted"] == 2
    for plural in ("programRules", "programRuleActions", "programRuleVariables"):
        assert every.uids(plural) == set()


def test_lists_forget_what_is_deleted(one: Keeper) -> None:
    stage = one.read("programStages", FOLLOW_UP)
    rows = [*stage["programStageDataElements"], {"dataElement": {"id": NEW}, "sortOrder": 9}]
    whole = stage | {"programStageDataElements": rows}
    one.store({"dataElements": [element(NEW, "Taille")], "programStages": [whole]})

    one.store({"dataElements": [{"id": NEW}]}, importStrategy="DELETE")

    after = one.read("programStages", FOLLOW_UP)["programStageDataElements"]
    assert len(after) == len(rows) - 1
    assert NEW not in {row["dataElement"]["id"] for row in after}


def test_an_option_leaves_its_set(every: Keeper) -> None:
    first, *rest = every.read("optionSets", SEX_SET)["options"]

    every.store({"options": [first]}, importStrategy="DELETE")

    assert every.read("optionSets", SEX_SET)["options"] == rest
    assert first["id"] not in every.uids("options")
