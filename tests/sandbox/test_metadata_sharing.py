"""Who may see and change what was imported (metadata 2.4, 5.3)?"""

from pathlib import Path

import pytest

from sandbox.district import HIV
from sandbox.metadata_server import Keeper, element, keeper, refusals


NEW = "NewElement1"
ADMIN = "M5zQapPyTZI"
SURVEILLANCE, NOTIFIED = "fAw4hObwxfo", "cPInfvgfsFJ"
MAY_ADD = "F_DATAELEMENT_PUBLIC_ADD"
MAY_ADD_PRIVATE = "F_DATAELEMENT_PRIVATE_ADD"
GROUP = "GroupGroup1"


def shared(public: str, **groups: str) -> dict[str, object]:
    named = {uid: {"id": uid, "access": access} for uid, access in groups.items()}
    return {"public": public, "users": {}, "userGroups": named}


def test_a_new_object_is_shared_as_it_says(every: Keeper) -> None:
    every.store({"userGroups": [{"id": GROUP, "name": "Saisie"}]})

    every.store(
        {
            "dataElements": [
                element(NEW, "Taille", sharing=shared("r-------", **{GROUP: "rw------"}))
            ]
        }
    )

    sharing = every.read("dataElements", NEW)["sharing"]
    assert (sharing["public"], sharing["owner"]) == ("r-------", ADMIN)
    assert sharing["userGroups"][GROUP]["access"] == "rw------"


def test_without_sharing_a_new_object_is_public_and_an_old_one_becomes_it(every: Keeper) -> None:
    program = every.read("programs", HIV)
    assert program.pop("sharing")["public"] == "rwrw----"

    every.store({"dataElements": [element(NEW, "Taille")], "programs": [program]})

    assert every.read("dataElements", NEW)["sharing"]["public"] == "rw------"
    assert every.read("programs", HIV)["sharing"]["public"] == "rw------"


def test_with_skip_sharing_a_new_object_is_private_and_an_old_one_keeps_its_own(
    every: Keeper,
) -> None:
    program = every.read("programs", HIV)
    other = program | {"sharing": shared("--------")}
    new = element(NEW, "Taille", sharing=shared("rw------"))

    every.store({"dataElements": [new], "programs": [other]}, skipSharing="true")

    assert every.read("dataElements", NEW)["sharing"]["public"] == "--------"
    assert every.read("programs", HIV)["sharing"] == program["sharing"]


def test_the_stage_of_an_event_program_is_shared_as_the_program(one: Keeper) -> None:
    program = one.read("programs", SURVEILLANCE)

    one.store({"programs": [program | {"sharing": shared("rwr-----")}]})

    assert one.read("programStages", NOTIFIED)["sharing"]["public"] == "rwr-----"


def test_a_group_that_does_not_exist_is_a_missing_reference(every: Keeper) -> None:
    new = element(NEW, "Taille", sharing=shared("rw------", **{GROUP: "rw------"}))

    assert refusals(every.send({"dataElements": [new]})) == {(NEW, "E5002")}
    assert every.send({"dataElements": [new]}, skipSharing="true").status_code == 200


def test_an_account_without_the_authority_of_the_class_makes_nothing(every: Keeper) -> None:
    limited = every.account("F_METADATA_IMPORT")

    answer = limited.send({"dataElements": [element(NEW, "Taille")]})

    assert (answer.status_code, refusals(answer)) == (409, {(NEW, "E3000")})


def test_an_account_that_may_make_only_private_objects_shares_nothing(every: Keeper) -> None:
    limited = every.account(MAY_ADD_PRIVATE)
    new = element(NEW, "Taille")

    assert refusals(limited.send({"dataElements": [new | {"sharing": shared("rw------")}]})) == {
        (NEW, "E3008")
    }
    limited.store({"dataElements": [new]})
    assert every.read("dataElements", NEW)["sharing"]["public"] == "--------"


@pytest.mark.parametrize(("public", "code"), [("rwrw----", "E3011"), ("read", "E3010")])
def test_a_sharing_that_the_class_does_not_have_is_refused(
    one: Keeper, public: str, code: str
) -> None:
    limited = one.account(MAY_ADD)

    answer = limited.send({"dataElements": [element(NEW, "Taille", sharing=shared(public))]})

    assert refusals(answer) == {(NEW, code)}


def test_changing_an_object_takes_write_access_to_it(one: Keeper) -> None:
    limited = one.account(MAY_ADD, "F_DATAELEMENT_DELETE", groups=(GROUP,))
    closed = element(NEW, "Taille", sharing=shared("r-------"))
    one.store({"dataElements": [closed]})

    assert refusals(limited.send({"dataElements": [closed]}, skipSharing="true")) == {
        (NEW, "E3001")
    }
    assert refusals(limited.send({"dataElements": [closed]}, importStrategy="DELETE")) == {
        (NEW, "E3002")
    }
    one.store({"dataElements": [closed | {"sharing": shared("--------", **{GROUP: "rw------"})}]})
    limited.store({"dataElements": [closed]}, skipSharing="true")


def test_what_an_account_may_not_read_is_absent_without_a_word(one: Keeper) -> None:
    limited = one.account(MAY_ADD)
    one.store({"dataElements": [element(NEW, "Taille", sharing=shared("--------"))]})

    export = limited.caller.get("/api/metadata", dataElements="true", fields="id")

    assert NEW in one.uids("dataElements")
    assert {item["id"] for item in export["dataElements"]} == one.uids("dataElements") - {NEW}
    assert limited.uids("dataElements") == one.uids("dataElements") - {NEW}


@pytest.mark.parametrize(("version", "codes"), [("2.40.9", set()), ("2.41.8", {"E5008"})])
def test_from_2_41_on_an_account_must_be_able_to_read_what_it_names(
    data: Path, version: str, codes: set[str]
) -> None:
    with keeper(data, version) as server:
        hidden = {"id": "HiddenSet01", "name": "Cachée", "valueType": "TEXT", "options": []}
        server.store({"optionSets": [hidden | {"sharing": shared("--------")}]})
        limited = server.account(MAY_ADD)

        answer = limited.send(
            {"dataElements": [element(NEW, "Taille", optionSet={"id": hidden["id"]})]}
        )

    assert {code for _, code in refusals(answer)} == codes
