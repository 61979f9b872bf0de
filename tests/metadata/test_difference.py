"""What would the destination gain?"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metadata.objects import Fields, ids, option_set, program
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Counts, difference
from tracker_sync.metadata.merging import merged
from tracker_sync.metadata.steps import payload_of


UIDS = st.from_regex(r"[A-Za-z][A-Za-z0-9]{10}", fullmatch=True)
LISTS = st.lists(UIDS, unique=True, max_size=6)


def holding(plural: str, *objects: dict[str, Any]) -> Objects:
    return {plural: {fields["id"]: fields for fields in objects}}


@given(units=LISTS, options=LISTS)
def test_nothing_differs_from_itself(units: list[str], options: list[str]) -> None:
    ours = holding("programs", program(organisationUnits=ids(*units)))
    ours = {**ours, **holding("optionSets", option_set(options=ids(*options)))}

    found = difference(ours, ours)

    assert found.changes == ()
    assert found.counts == {"programs": Counts(0, 0, 1), "optionSets": Counts(0, 0, 1)}


@given(ours=LISTS, theirs=LISTS)
def test_once_sent_nothing_differs(ours: list[str], theirs: list[str]) -> None:
    source = option_set(options=ids(*ours))
    before = option_set(options=ids(*theirs), name="Sexe")

    after = merged("optionSets", source, before)

    assert difference(holding("optionSets", source), holding("optionSets", after)).changes == ()
    assert {option["id"] for option in after["options"]} == {*ours, *theirs}


def test_an_object_that_is_not_there_is_new() -> None:
    ours = holding("optionSets", option_set())

    (change,) = difference(ours, {}).changes

    assert change.is_new
    assert str(change) == "AcCtZkAvAsC (new)"


def test_a_change_names_its_fields() -> None:
    ours = holding("optionSets", option_set(name="Sexe", code="SEX"))

    (change,) = difference(ours, holding("optionSets", option_set())).changes

    assert change.fields == ("code", "name")
    assert not change.is_new


def test_a_local_assignment_is_neither_a_difference_nor_lost() -> None:
    ours = holding("programs", program(organisationUnits=ids("hhZqjkb21gq")))
    local = program(organisationUnits=ids("local000001", "hhZqjkb21gq"))
    renamed = holding("programs", program(organisationUnits=ids("hhZqjkb21gq"), name="HIV"))

    same = difference(ours, holding("programs", local))
    (change,) = difference(renamed, holding("programs", local)).changes

    assert same.changes == ()
    assert change.fields == ("name",)
    assert change.payload["organisationUnits"] == ids("local000001", "hhZqjkb21gq")


def test_an_update_keeps_the_sharing_the_destination_has() -> None:
    sharing = {"public": "--------", "owner": "theirs00001", "users": {"theirs00001": {}}}
    theirs = holding("programs", program(sharing=sharing, name="HIV"))

    (change,) = difference(holding("programs", program()), theirs).changes

    assert change.payload["sharing"] == sharing


def test_a_new_object_comes_with_its_public_sharing_only() -> None:
    (change,) = difference(holding("programs", program()), {}).changes

    assert change.payload["sharing"] == {"public": "rw------", "users": {}, "userGroups": {}}


def test_a_changed_option_set_goes_with_all_its_options_in_their_order() -> None:
    option: Fields = {"code": "F", "name": "Féminin", "id": "FGYUJQ5e1rA", "sortOrder": 0}
    added: Fields = {"code": "X", "name": "Inconnu", "id": "newoption01", "sortOrder": 1}
    options = holding("options", option, added)
    ours = {**options, **holding("optionSets", option_set(options=ids(added["id"], option["id"])))}
    theirs = {
        **holding("options", option),
        **holding("optionSets", option_set(options=ids(option["id"]))),
    }

    changes = difference(ours, theirs).changes
    payload = payload_of(changes, ours, theirs)

    assert [str(change) for change in changes] == [
        "newoption01 (new)",
        "AcCtZkAvAsC (options)",
    ]
    ranks = {sent["id"]: sent["sortOrder"] for sent in payload["options"]}
    assert ranks == {"newoption01": 1, "FGYUJQ5e1rA": 2}
