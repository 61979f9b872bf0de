"""Is what can't become what the source says told before anything is sent?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from metadata.objects import Fields, ids, option_set, program
from servers import (
    HIV,
    OLDEST_AND_NEWEST,
    PERSON,
    SENEGAL,
    SURVEILLANCE,
    Pair,
    add_option,
    copied,
    grant,
    put,
    read,
    reader,
    route,
    running,
    stamps,
)
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.beyond import Gone
from tracker_sync.metadata.difference import Difference, difference, to_be_named, without_taken
from tracker_sync.metadata.sides import Sides


def holding(plural: str, *objects: Fields) -> dict[str, dict[str, Fields]]:
    return {plural: {fields["id"]: fields for fields in objects}}


def element(**fields: Any) -> Fields:
    return {"id": "ol1WpmrN6NG", "name": "Poids", "valueType": "NUMBER", **fields}


def kinds(found: Difference) -> list[tuple[str, str]]:
    return [(row["uid"], row["kind"]) for row in found.rows()]


def test_another_value_type_clashes_only_where_there_is_data() -> None:
    ours, theirs = (
        holding("dataElements", element()),
        holding("dataElements", element(valueType="TEXT")),
    )

    held = difference(ours, theirs)
    free = difference(ours, theirs, Sides(holds_data=lambda *_: False))

    assert kinds(held) == [("ol1WpmrN6NG", "clashing")]
    assert held.counts["dataElements"].clashing == 1
    assert kinds(free) == [("ol1WpmrN6NG", "changed")]


@pytest.mark.parametrize(
    ("plural", "field", "other"),
    [
        ("programs", "programType", "WITHOUT_REGISTRATION"),
        ("programs", "trackedEntityType", {"id": "anotherType"}),
        ("programStages", "program", {"id": "anotherProg"}),
        ("programRules", "program", {"id": "anotherProg"}),
        ("options", "optionSet", {"id": "anotherSet1"}),
        ("dataElements", "domainType", "AGGREGATE"),
    ],
)
def test_what_an_object_is_for_good_clashes(plural: str, field: str, other: Any) -> None:
    mine = {"programType": "WITH_REGISTRATION", "trackedEntityType": {"id": PERSON}}
    mine |= {"program": {"id": HIV}, "optionSet": {"id": "AcCtZkAvAsC"}, "domainType": "TRACKER"}
    ours = {"id": "abcdefghij1", "name": "x", field: mine[field]}

    found = difference(holding(plural, ours), holding(plural, ours | {field: other}))

    assert [(clash.uid, clash.field, clash.other) for clash in found.clashes] == [
        ("abcdefghij1", field, "abcdefghij1")
    ]
    assert found.changes == ()


@pytest.mark.parametrize("field", ["code", "name", "shortName"])
def test_a_code_or_name_of_another_object_clashes(field: str) -> None:
    ours = element(code="W", shortName="Pds")
    stranger = {"id": "stranger001", "code": "X", "name": "X", "shortName": "X"}
    stranger[field] = ours[field]

    found = difference(holding("dataElements", ours), {})
    told = without_taken(found, holding("dataElements", ours), holding("dataElements", stranger))

    assert kinds(told) == [("ol1WpmrN6NG", "clashing")]
    assert [(clash.field, clash.other) for clash in told.clashes] == [(field, "stranger001")]


def test_the_name_of_a_program_or_stage_may_be_given_twice() -> None:
    ours = program(code="NEW")
    stranger = {"id": "stranger001", "name": ours["name"], "code": "OTHER"}

    found = difference(holding("programs", ours), {})
    told = without_taken(found, holding("programs", ours), holding("programs", stranger))

    assert told.clashes == ()


def test_an_option_made_anew_under_another_uid_clashes_within_its_set() -> None:
    old = {"id": "optionOld01", "code": "F", "name": "F", "optionSet": {"id": "AcCtZkAvAsC"}}
    new = old | {"id": "optionNew01"}
    elsewhere = old | {"id": "optionElse1", "optionSet": {"id": "anotherSet1"}}

    found = difference(holding("options", new), holding("options", old))
    free = difference(holding("options", new), holding("options", elsewhere))

    assert {(clash.field, clash.other) for clash in found.clashes} == {
        ("code", "optionOld01"),
        ("name", "optionOld01"),
    }
    assert free.clashes == ()


def test_a_rule_made_anew_under_its_name_clashes_unless_a_mirror_takes_the_old_one_away() -> None:
    old = {"id": "ruleOld0001", "name": "Poids", "program": {"id": HIV}}
    whole = holding("programs", program())
    ours, theirs = (
        whole | holding("programRules", old | {"id": "ruleNew0001"}),
        whole | holding("programRules", old),
    )

    kept = difference(ours, theirs)
    mirrored = difference(ours, theirs, Sides(mirror=True))

    assert set(kinds(kept)) == {("ruleNew0001", "clashing"), ("ruleOld0001", "gone")}
    assert set(kinds(mirrored)) == {("ruleNew0001", "new"), ("ruleOld0001", "gone")}


def test_the_name_of_an_indicator_that_a_mirror_takes_away_is_free() -> None:
    old = {"id": "indicOld001", "name": "Taux", "program": {"id": HIV}}
    whole = holding("programs", program())
    ours = whole | holding("programIndicators", old | {"id": "indicNew001"})
    theirs = whole | holding("programIndicators", old)
    mirror = Sides(mirror=True)

    kept = without_taken(difference(ours, theirs), ours, theirs)
    mirrored = without_taken(difference(ours, theirs, mirror), ours, theirs, mirror)

    assert ("indicNew001", "clashing") in kinds(kept)
    assert ("indicNew001", "new") in kinds(mirrored)


def test_options_of_two_sets_may_have_one_code() -> None:
    ours = {"id": "optionNew01", "code": "F", "name": "F", "optionSet": {"id": "AcCtZkAvAsC"}}
    stranger = ours | {"id": "optionElse1", "optionSet": {"id": "anotherSet1"}}

    found = difference(holding("options", ours), {})
    told = without_taken(found, holding("options", ours), holding("options", stranger))

    assert to_be_named(found) == {}
    assert kinds(told) == [("optionNew01", "new")]


def test_only_an_object_that_brings_a_name_is_looked_up() -> None:
    ours = holding("dataElements", element(description="Nouveau"))
    unit = {"id": "unitNew0001", "name": "Ici", "shortName": "Ici"}

    changed = difference(ours, holding("dataElements", element()))
    without_code = difference(holding("organisationUnits", unit), {})

    assert kinds(changed) == [("ol1WpmrN6NG", "changed")]
    assert to_be_named(changed) == to_be_named(without_code) == {}
    with_code = difference(holding("organisationUnits", unit | {"code": "ICI"}), {})
    assert to_be_named(with_code).keys() == {"organisationUnits"}


@pytest.mark.parametrize("version", ["2.40.9", "2.42.4"])
def test_a_value_that_the_destination_does_not_know_is_told_before_anything_is_sent(
    tmp_path: Path, version: str
) -> None:
    alone = route(programs=(HIV,))
    with (
        running(tmp_path, "from", district=True, version="2.43.1") as source,
        running(tmp_path, "to", version=version) as destination,
    ):
        uid = next(iter(stamps(source, "programRuleActions")))
        action = read(source, "programRuleActions", uid)
        put(source, "programRuleActions", action | {"programRuleActionType": "SCHEDULEEVENT"})

        result = synchronise(source, destination, alone)

        (finding,) = [one for one in result.findings if one.blocking]
        assert finding.code == "value_unknown_there"
        assert f"programRuleActions {uid}" in finding.text
        assert stamps(destination, "programs") == {}


def test_what_only_the_destination_has_is_named_with_what_holds_it() -> None:
    rows = [{"trackedEntityAttribute": {"id": "attribute01"}, "sortOrder": 1}]
    ours = holding("programs", program(programTrackedEntityAttributes=[]))
    ours |= holding("optionSets", option_set(options=ids("FGYUJQ5e1rA")))
    theirs = holding("programs", program(programTrackedEntityAttributes=rows))
    theirs |= holding("optionSets", option_set())
    theirs |= holding("programRules", {"id": "ruleThere01", "program": {"id": HIV}})
    theirs |= holding("relationshipTypes", {"id": "typeThere01"})

    found = difference(ours, theirs)

    assert set(found.gone) == {
        Gone("options", "fYYf3ulYkiz", ("optionSets", "AcCtZkAvAsC"), "options", whole=True),
        Gone("programRules", "ruleThere01", ("programs", HIV), "", whole=True),
        Gone(
            "relationshipTypes", "typeThere01", ("relationshipTypes", "typeThere01"), "", whole=True
        ),
        Gone(
            "trackedEntityAttributes",
            "attribute01",
            ("programs", HIV),
            "programTrackedEntityAttributes",
            whole=False,
        ),
    }
    assert found.changes == ()
    assert found.counts["programRules"].gone == 1


def test_a_mirror_takes_members_away_but_no_assignment_outside_the_route() -> None:
    ours = holding("programs", program(organisationUnits=ids("hhZqjkb21gq")))
    theirs = holding(
        "programs", program(organisationUnits=ids("hhZqjkb21gq", "within00001", "outside0001"))
    )
    reached = frozenset({"hhZqjkb21gq", "within00001"})

    kept = difference(ours, theirs, Sides(reached=reached))
    (change,) = difference(ours, theirs, Sides(reached=reached, mirror=True)).changes

    assert [(gone.plural, gone.uid) for gone in kept.gone] == [("organisationUnits", "within00001")]
    assert kept.changes == ()
    assert change.fields == ("organisationUnits",)
    assert change.payload["organisationUnits"] == ids("hhZqjkb21gq", "outside0001")


def local_rule(server: Dhis2Client) -> tuple[str, str]:
    rule = {"id": "LocalRule01", "name": "Ici", "condition": "true", "program": {"id": HIV}}
    put(server, "programRules", rule)
    return "programRules", "LocalRule01"


def local_option(server: Dhis2Client) -> tuple[str, str]:
    return "options", add_option(server, "LOCAL")


def local_stage(server: Dhis2Client) -> tuple[str, str]:
    put(server, "programStages", {"id": "LocalStage1", "name": "Ici", "program": {"id": HIV}})
    return "programStages", "LocalStage1"


def local_type(server: Dhis2Client) -> tuple[str, str]:
    end = {"relationshipEntity": "TRACKED_ENTITY_INSTANCE", "trackedEntityType": {"id": PERSON}}
    made: Fields = {"id": "LocalRelTy1", "name": "Ici", "fromToName": "de"}
    put(server, "relationshipTypes", made | {"fromConstraint": end, "toConstraint": end})
    return "relationshipTypes", "LocalRelTy1"


@pytest.mark.parametrize("made", [local_rule, local_option, local_stage, local_type])
def test_what_was_added_at_the_destination_is_found_and_stays(
    pair: Pair, made: Callable[[Dhis2Client], tuple[str, str]]
) -> None:
    synchronise(pair.source, pair.destination, route())
    plural, uid = made(pair.destination)

    again = synchronise(pair.source, pair.destination, route())

    assert (again.sent, again.counts[plural].gone) == (0, 1)
    assert uid in stamps(pair.destination, plural)


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
def test_a_value_type_changed_under_data_is_told_and_without_data_is_sent(
    tmp_path: Path, version: str
) -> None:
    alone = route(programs=(SURVEILLANCE,))
    with (
        running(tmp_path, "from", district=True, version=version) as source,
        running(tmp_path, "to", version=version) as destination,
    ):
        synchronise(source, destination, alone)
        grant(destination, SENEGAL)
        destination.forget_session()
        (held,) = read(destination, "programs", SURVEILLANCE)["programStages"]
        stage = read(destination, "programStages", held["id"])
        uid = stage["programStageDataElements"][0]["dataElement"]["id"]
        changed = read(source, "dataElements", uid)
        changed |= {"valueType": "LONG_TEXT", "optionSet": None}
        put(source, "dataElements", changed)

        event = {"event": "EventLocal1", "program": SURVEILLANCE, "programStage": stage["id"]}
        event |= {"orgUnit": SENEGAL, "occurredAt": "2026-01-01", "status": "ACTIVE"}
        answer = destination.post("/api/tracker", {"events": [event]}, {"async": "false"})
        assert answer.json()["status"] == "OK"
        refused = synchronise(source, destination, alone)
        deleting = {"async": "false", "importStrategy": "DELETE"}
        destination.post("/api/tracker", {"events": [{"event": "EventLocal1"}]}, deleting)
        sent = synchronise(source, destination, alone)

        (finding,) = refused.findings
        assert (finding.code, refused.sent) == ("metadata_clashes", 0)
        assert f"{uid} (valueType differs" in finding.text
        assert sent.counts["dataElements"].changed == 1
        assert read(destination, "dataElements", uid)["valueType"] == "LONG_TEXT"


def test_a_name_taken_by_another_uid_is_told_before_anything_is_sent(pair: Pair) -> None:
    copied(pair, "optionSets", "AcCtZkAvAsC", "LocalSet001", options=[], code="ICI")

    result = synchronise(pair.source, pair.destination, route())

    (finding,) = result.findings
    assert "AcCtZkAvAsC (name is LocalSet001's there)" in finding.text
    assert stamps(pair.destination, "programs") == {}


def test_what_the_destination_names_and_does_not_show_is_none_that_it_lacks(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, route())
    (uid, *_) = [stage["id"] for stage in read(pair.destination, "programs", HIV)["programStages"]]
    stage = read(pair.destination, "programStages", uid)
    put(pair.destination, "programStages", stage | {"sharing": {"public": "--------"}})
    with reader(pair.destination) as limited:
        result = synchronise(pair.source, limited, route())

    (finding,) = [one for one in result.findings if one.blocking]
    assert (finding.code, result.sent) == ("not_shown_there", 0)
    assert f"programStages {uid}" in finding.text
