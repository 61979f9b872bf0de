"""With which requests do changes go?"""

from __future__ import annotations

from typing import Any

from metadata.objects import Fields, ids, option_set, program
from tracker_sync.metadata.difference import difference
from tracker_sync.metadata.sharing import shared
from tracker_sync.metadata.steps import Step, steps_of, to_validate


OPTIONS = ("FGYUJQ5e1rA", "fYYf3ulYkiz")


def of(uid: str, **fields: Any) -> Fields:
    return {"id": uid, "name": uid, **fields}


def option(uid: str) -> Fields:
    return of(uid, code=uid, optionSet={"id": "AcCtZkAvAsC"})


def steps(ours: dict[str, Any], theirs: dict[str, Any], sharing: str = "public") -> list[Step]:
    return steps_of(difference(ours, theirs).changes, ours, theirs, sharing)


def names(step: Step) -> dict[str, list[str]]:
    return {plural: [row["id"] for row in rows] for plural, rows in step.payload.items()}


def test_units_go_first_then_what_is_new_then_what_changed_without_its_sharing() -> None:
    shared_program = program(name="VIH, nouveau")
    ours = {
        "programs": {shared_program["id"]: shared_program},
        "programRules": {"ruleNew0001": of("ruleNew0001", program={"id": shared_program["id"]})},
        "organisationUnits": {"unitNew0001": of("unitNew0001")},
    }
    theirs = {"programs": {shared_program["id"]: program()}}

    found = steps(ours, theirs)

    assert [(names(step), step.keep_sharing) for step in found] == [
        ({"organisationUnits": ["unitNew0001"]}, False),
        ({"programRules": ["ruleNew0001"]}, False),
        ({"programs": [shared_program["id"]]}, True),
    ]
    assert [(len(step.names), step.keep_sharing) for step in to_validate(found)] == [
        (2, False),
        (3, True),
    ]


def test_what_is_all_new_is_looked_at_once() -> None:
    ours = {
        "programs": {"xsd8pFBm2w1": program()},
        "organisationUnits": {"unitNew0001": of("unitNew0001")},
    }

    (look,) = to_validate(steps(ours, {}))

    assert len(look.names) == 2
    assert not look.keep_sharing


def test_ten_thousand_org_units_are_one_request() -> None:
    units = {f"unit{number:07}": of(f"unit{number:07}") for number in range(10_000)}

    (step,) = steps({"organisationUnits": units}, {})

    assert len(step.names) == 10_000


def test_a_new_option_goes_behind_the_others_before_its_set_says_where_it_stands() -> None:
    first = option_set(options=ids("optionNew01", *OPTIONS))
    ours = {
        "optionSets": {first["id"]: first},
        "options": {uid: option(uid) for uid in ("optionNew01", *OPTIONS)},
    }
    theirs = {
        "optionSets": {first["id"]: option_set()},
        "options": {uid: option(uid) for uid in OPTIONS},
    }

    before, after = steps(ours, theirs)

    assert [row["sortOrder"] for row in before.payload["options"]] == [3]
    ranks = {row["id"]: row["sortOrder"] for row in after.payload["options"]}
    assert ranks == {"optionNew01": 1, **{uid: n for n, uid in enumerate(OPTIONS, start=2)}}
    assert after.payload["optionSets"][0]["options"] == ids("optionNew01", *OPTIONS)


def test_a_new_object_has_the_public_sharing_of_the_source_or_that_of_the_route() -> None:
    users = {"SomebodyUid": {"id": "SomebodyUid", "access": "rwrw----"}}
    groups = {"GroupNurses": {"id": "GroupNurses", "access": "rwrw----", "displayName": "x"}}
    ours = of("x", sharing={"public": "r-------", "users": users, "userGroups": groups})
    named = {"GroupNurses": {"id": "GroupNurses", "access": "rwrw----"}}

    def given(plural: str, policy: str) -> Any:
        return shared(plural, of("x"), ours, policy)["sharing"]

    assert given("programs", "public") == {"public": "r-------", "users": {}, "userGroups": {}}
    assert given("programs", "groups") == {"public": "r-------", "users": {}, "userGroups": named}
    assert given("programs", "rwrw----")["public"] == "rwrw----"
    assert given("dataElements", "rwrw----")["public"] == "rw------"
    assert "sharing" not in shared("options", of("x"), of("x"), "rwrw----")


def test_a_changed_object_goes_with_the_sharing_that_it_has_there() -> None:
    theirs = program(name="VIH, ancien", sharing={"public": "--------", "users": {}})

    (step,) = steps(
        {"programs": {theirs["id"]: program()}}, {"programs": {theirs["id"]: theirs}}, "rwrw----"
    )

    assert step.keep_sharing
    assert step.payload["programs"][0]["sharing"] == theirs["sharing"]
