"""Do changes get in without anything of the destination's own being lost?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from dhis2_api.answers import Answer
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.metadata_report import ImportTerms, import_metadata
from metadata.objects import Fields
from servers import HIV, PERSON, SENEGAL, SEX, Pair, add_option, put, read, route, stamps
from tracker_sync.findings import Finding
from tracker_sync.metadata import describe, synchronise
from tracker_sync.metadata.removal import unseen


ALONE = route(programs=(HIV,))
HERE = {"id": "LocalUnit01", "name": "Ici", "shortName": "Ici", "openingDate": "2020-01-01"}


def rule(uid: str, name: str, **more: Any) -> Fields:
    own = {"program": {"id": HIV}, "condition": "true", "programRuleActions": []}
    return {"id": uid, "name": name, **own, **more}


def every_stamp(pair: Pair) -> dict[str, dict[str, str]]:
    plurals = ("programs", "options", "optionSets", "programRules", "trackedEntityAttributes")
    return {plural: stamps(pair.destination, plural) for plural in plurals}


def test_what_is_new_may_name_what_changes_and_the_other_way_round(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, ALONE)
    closed = read(pair.destination, "programs", HIV)
    closed["sharing"] = closed["sharing"] | {"public": "r-r-----"}
    put(pair.destination, "programs", closed)
    attribute: Fields = {"id": "NewAttrib01", "name": "Nouvel attribut", "shortName": "Nouveau"}
    attribute |= {"valueType": "TEXT", "aggregationType": "NONE"}
    attribute |= {"sharing": {"public": "rw------"}}
    put(pair.source, "trackedEntityAttributes", attribute)
    named = {"trackedEntityAttribute": {"id": attribute["id"]}}
    person = read(pair.source, "trackedEntityTypes", PERSON)
    person["trackedEntityTypeAttributes"].append(named)
    put(pair.source, "trackedEntityTypes", person)
    program = read(pair.source, "programs", HIV)
    program["programTrackedEntityAttributes"].append(named | {"sortOrder": 99})
    put(pair.source, "programs", program)
    put(pair.source, "programRules", rule("NewRule0001", "Nouvelle règle"))
    option = add_option(pair.source, "UNKNOWN")
    writes: list[int] = []

    result = synchronise(pair.source, pair.destination, ALONE, lambda: writes.append(1))

    assert not [one for one in result.findings if one.blocking]
    assert len(writes) == 4  # what is new, and all of it, looked at; then one after the other
    after = read(pair.destination, "programs", HIV)
    assert after["sharing"]["public"] == "r-r-----"
    assert named["trackedEntityAttribute"] in [
        row["trackedEntityAttribute"] for row in after["programTrackedEntityAttributes"]
    ]
    assert read(pair.destination, "programRules", "NewRule0001")["program"] == {"id": HIV}
    assert read(pair.destination, "optionSets", SEX)["options"][-1] == {"id": option}
    before = every_stamp(pair)
    assert synchronise(pair.source, pair.destination, ALONE).sent == 0
    assert every_stamp(pair) == before


def test_extras_stay_until_the_route_mirrors_the_source(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, ALONE)
    put(pair.destination, "programRules", rule("LocalRule01", "Règle locale"))
    put(pair.destination, "organisationUnits", HERE)
    program = read(pair.destination, "programs", HIV)
    program["organisationUnits"].append({"id": HERE["id"]})
    put(pair.destination, "programs", program)

    kept = synchronise(pair.source, pair.destination, ALONE)

    assert kept.sent == kept.removed == 0
    assert any(
        line.startswith("programRules only at the destination: LocalRule01")
        for line in describe(kept)
    )
    assert "LocalRule01" in stamps(pair.destination, "programRules")

    mirror = route(programs=(HIV,), metadata_extras="mirror")
    result = synchronise(pair.source, pair.destination, mirror)

    assert {one.code for one in result.findings} == {"extras_removed"}
    assert result.removed == 1
    assert "LocalRule01" not in stamps(pair.destination, "programRules")
    assigned = read(pair.destination, "programs", HIV)["organisationUnits"]
    assert {"id": HERE["id"]} in assigned  # outside the route
    again = synchronise(pair.source, pair.destination, mirror)
    assert again.sent == again.removed == 0
    assert again.findings == ()


def test_a_mirror_takes_an_option_out_of_its_set_and_leaves_it_and_frees_its_code(
    pair: Pair,
) -> None:
    synchronise(pair.source, pair.destination, ALONE)
    old = add_option(pair.destination, "UNKNOWN")
    fields = {"id": "OptionAnew1", "code": "UNKNOWN", "name": "UNKNOWN", "sortOrder": 9}
    option_set = read(pair.source, "optionSets", SEX)
    whole = option_set | {"options": [*option_set["options"], {"id": "OptionAnew1"}]}
    pair.source.post(
        "/api/metadata",
        {"optionSets": [whole], "options": [fields | {"optionSet": {"id": SEX}}]},
    )
    mirror = route(programs=(HIV,), metadata_extras="mirror")

    result = synchronise(pair.source, pair.destination, mirror)

    assert {one.code for one in result.findings} == {"extras_removed"}
    held = read(pair.destination, "optionSets", SEX)["options"]
    assert {"id": old} not in held
    assert {"id": "OptionAnew1"} in held
    assert old in stamps(pair.destination, "options")  # unlinked: values may have its code
    again = synchronise(pair.source, pair.destination, mirror)
    assert (again.sent, again.removed, again.findings) == (0, 0, ())


def test_a_mirror_deletes_what_only_another_extra_needed(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, ALONE)
    indicator: Fields = {
        "id": "LocalIndic1",
        "name": "Local",
        "shortName": "Local",
        "expression": "1",
    }
    indicator |= {"program": {"id": HIV}, "aggregationType": "COUNT", "analyticsType": "EVENT"}
    action: Fields = {"id": "LocalActio1", "programRuleActionType": "DISPLAYTEXT", "content": "x"}
    action |= {"programRule": {"id": "LocalRule01"}, "location": "feedback"}
    action |= {"programIndicator": {"id": "LocalIndic1"}}
    local = rule("LocalRule01", "Règle locale", programRuleActions=[{"id": "LocalActio1"}])
    pair.destination.post(
        "/api/metadata",
        {
            "programIndicators": [indicator],
            "programRules": [local],
            "programRuleActions": [action],
        },
    )
    assert "LocalIndic1" in stamps(pair.destination, "programIndicators")

    mirror = route(programs=(HIV,), metadata_extras="mirror")
    result = synchronise(pair.source, pair.destination, mirror)

    assert {one.code for one in result.findings} == {"extras_removed"}
    assert result.removed == 2
    assert "LocalIndic1" not in stamps(pair.destination, "programIndicators")
    assert "LocalRule01" not in stamps(pair.destination, "programRules")


def test_a_mirror_of_a_source_that_is_not_seen_whole_blocks() -> None:
    by_class = Finding("metadata_read_by_class", blocking=False, text="x", remedy="y")

    (finding,) = unseen([by_class])

    assert (finding.code, finding.blocking) == ("mirror_not_seen_whole", True)
    assert "F_METADATA_EXPORT" in finding.remedy
    assert unseen([]) == []


def test_new_objects_are_shared_as_the_route_says(pair: Pair) -> None:
    open_to_all = route(programs=(HIV,), metadata_sharing="rwrw----")
    synchronise(pair.source, pair.destination, open_to_all)

    assert read(pair.destination, "programs", HIV)["sharing"]["public"] == "rwrw----"
    attributes = stamps(pair.destination, "trackedEntityAttributes")
    public = {
        read(pair.destination, "trackedEntityAttributes", uid)["sharing"]["public"]
        for uid in attributes
    }
    assert public == {"rw------"}
    assert synchronise(pair.source, pair.destination, open_to_all).sent == 0


def test_groups_named_in_sharing_are_made_without_their_members(pair: Pair) -> None:
    me = pair.source.get("/api/me")["id"]
    group = {"id": "GroupNurses", "name": "Infirmières", "users": [{"id": me}]}
    put(pair.source, "userGroups", group)
    program = read(pair.source, "programs", HIV)
    share = {"GroupNurses": {"id": "GroupNurses", "access": "rwrw----"}}
    program["sharing"] = program["sharing"] | {"public": "--------", "userGroups": share}
    put(pair.source, "programs", program)
    grouped = route(programs=(HIV,), metadata_sharing="groups")

    result = synchronise(pair.source, pair.destination, grouped)

    assert not [one for one in result.findings if one.blocking]
    sharing = read(pair.destination, "programs", HIV)["sharing"]
    assert sharing["userGroups"]["GroupNurses"]["access"] == "rwrw----"
    assert not read(pair.destination, "userGroups", "GroupNurses").get("users")
    assert synchronise(pair.source, pair.destination, grouped).sent == 0


def test_a_renamed_and_moved_org_unit_is_reported_until_the_route_updates_units(
    pair: Pair,
) -> None:
    synchronise(pair.source, pair.destination, ALONE)
    units = sorted(stamps(pair.source, "organisationUnits"))
    held = [read(pair.source, "organisationUnits", uid) for uid in units]
    low = next(one for one in held if one["path"].count("/") == 3)
    target = next(
        one for one in held if one["path"].count("/") == 2 and one["id"] not in low["path"]
    )
    put(
        pair.source,
        "organisationUnits",
        {name: value for name, value in low.items() if name != "path"}
        | {"name": "Nouveau nom", "parent": {"id": target["id"]}},
    )

    told = synchronise(pair.source, pair.destination, ALONE)

    (finding,) = [one for one in told.findings if one.code == "org_units_moved"]
    assert (finding.blocking, told.sent) == (False, 0)
    assert low["id"] in finding.text

    updated = route(programs=(HIV,), metadata_org_units="update")
    result = synchronise(pair.source, pair.destination, updated)

    assert result.findings == ()
    assert result.sent
    after = read(pair.destination, "organisationUnits", low["id"])
    assert (after["name"], after["parent"]["id"]) == ("Nouveau nom", target["id"])
    assert after["path"].startswith(f"/{SENEGAL}/{target['id']}/")
    assert synchronise(pair.source, pair.destination, updated).sent == 0


def test_a_code_that_one_object_gives_up_and_a_new_one_takes_arrives(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, ALONE)
    named = next(
        row["trackedEntityAttribute"]["id"]
        for row in read(pair.source, "programs", HIV)["programTrackedEntityAttributes"]
    )
    before = read(pair.source, "trackedEntityAttributes", named)
    put(pair.source, "trackedEntityAttributes", before | {"name": "Ancien", "code": "ANCIEN"})
    heir = {"id": "HeirAttrib1", "name": before["name"], "code": before["code"]}
    heir |= {"shortName": "Héritier", "valueType": "TEXT", "aggregationType": "NONE"}
    put(pair.source, "trackedEntityAttributes", heir | {"sharing": before["sharing"]})
    program = read(pair.source, "programs", HIV)
    program["programTrackedEntityAttributes"].append(
        {"trackedEntityAttribute": {"id": heir["id"]}, "sortOrder": 99}
    )
    put(pair.source, "programs", program)

    result = synchronise(pair.source, pair.destination, ALONE)

    assert not [one for one in result.findings if one.blocking]
    assert read(pair.destination, "trackedEntityAttributes", named)["name"] == "Ancien"
    after = read(pair.destination, "trackedEntityAttributes", "HeirAttrib1")
    assert after["name"] == before["name"]
    assert synchronise(pair.source, pair.destination, ALONE).sent == 0


class Echoing:
    """A server that says how it understood the request."""

    name = "to"

    def __init__(self, **echo: str) -> None:
        self._echo = echo

    def post(self, *_: Any, **__: Any) -> Answer:
        counts = dict.fromkeys(("created", "updated", "deleted", "ignored", "total"), 0)
        body = {"response": {"status": "OK", "stats": counts, "importParams": self._echo}}
        return Answer("to: POST /api/metadata", 200, "application/json", json.dumps(body).encode())


def test_an_echo_that_says_otherwise_than_asked_is_an_error() -> None:
    right: Any = Echoing(importMode="VALIDATE", atomicMode="ALL", skipSharing="false")
    wrong: Any = Echoing(importMode="COMMIT")

    assert import_metadata(right, {}, ImportTerms("VALIDATE")).accepted
    with pytest.raises(UnexpectedAnswer, match="importMode=VALIDATE"):
        import_metadata(wrong, {}, ImportTerms("VALIDATE"))
