"""Is it found out that an answer of several classes lost what nothing else refers to?

Such an answer is valid JSON with status 200; a proxy cuts those of the source here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from metadata.cut_short import Cut, always_without, through
from metadata.grown import CONTACT, REGIMENS, SECOND_RULE, TOWNS, change
from metadata.objects import ids
from metadata.twins import ALONE
from scripted_server import Reply, Request, as_json, scripted
from servers import DAKAR, HIV, SENEGAL, Pair, grant, put, read, route, stamps
from tracker_sync.metadata import MetadataResult, synchronise
from tracker_sync.readiness import readiness


MIRROR = route(programs=(HIV,), metadata_extras="mirror")


def without_its_last(plural: str) -> Cut:
    return lambda _, body: {
        name: rows[:-1] if name == plural else rows for name, rows in body.items()
    }


def codes(result: MetadataResult) -> list[tuple[str, bool]]:
    return [(finding.code, finding.blocking) for finding in result.findings]


@pytest.mark.parametrize("cut", [always_without, without_its_last])
def test_a_first_run_whose_answer_lost_relationship_types_writes_nothing(
    both: Pair, cut: Callable[[str], Cut]
) -> None:
    another = read(both.source, "relationshipTypes", CONTACT)
    put(both.source, "relationshipTypes", another | {"id": "RelationNew", "name": "N", "code": "N"})
    change(both.source, "optionSets", REGIMENS, name="Régimes")
    before = stamps(both.destination, "optionSets")

    with through(both.source, cut("relationshipTypes")) as cut_off:
        result = synchronise(cut_off, both.destination, ALONE)

    (finding,) = [one for one in result.findings if one.code == "source_answer_cut"]
    assert finding.blocking
    assert "RelationNew" in finding.text
    assert "sync_metadata" in finding.remedy
    assert result.sent == 0
    assert stamps(both.destination, "optionSets") == before != {}
    assert synchronise(both.source, both.destination, ALONE).findings == ()
    assert "RelationNew" in stamps(both.destination, "relationshipTypes")


def test_a_mirror_deletes_no_relationship_type_that_an_answer_lost(both: Pair) -> None:
    with through(both.source, always_without("relationshipTypes")) as cut_off:
        result = synchronise(cut_off, both.destination, MIRROR)

    assert ("source_answer_cut", True) in codes(result)
    assert result.removed == 0
    assert CONTACT in stamps(both.destination, "relationshipTypes")


@pytest.mark.parametrize("cut", [always_without, without_its_last])
def test_org_units_that_an_answer_lost_are_counted(both: Pair, cut: Callable[[str], Cut]) -> None:
    unit = {"id": "UnitNew0001", "name": "Poste", "shortName": "Poste"}
    put(both.source, "organisationUnits", unit | {"openingDate": "2026", "parent": {"id": DAKAR}})
    change(both.source, "optionSets", REGIMENS, name="Régimes")

    with through(both.source, cut("organisationUnits")) as cut_off:
        result = synchronise(cut_off, both.destination, ALONE)

    (finding,) = [one for one in result.findings if one.code == "source_answer_cut"]
    assert f"below {SENEGAL}" in finding.text
    assert result.sent == 0
    assert "UnitNew0001" not in stamps(both.destination, "organisationUnits")


def test_what_an_answer_lost_while_nothing_else_changed_is_found_out_by_the_readiness(
    both: Pair,
) -> None:
    another = read(both.source, "relationshipTypes", CONTACT)
    put(both.source, "relationshipTypes", another | {"id": "RelationNew", "name": "N", "code": "N"})
    for server in (both.source, both.destination):
        grant(server, SENEGAL)

    with through(both.source, without_its_last("relationshipTypes")) as cut_off:
        unseen = synchronise(cut_off, both.destination, ALONE)
    whole = synchronise(both.source, both.destination, ALONE)

    assert (unseen.findings, unseen.sent, whole.sent) == ((), 0, 1)
    (finding,) = readiness(both.source, both.destination, ALONE, unseen.model)
    assert (finding.code, finding.blocking) == ("source_answer_cut", True)
    assert "RelationNew" in finding.text
    assert readiness(both.source, both.destination, ALONE, whole.model) == []


def test_an_org_unit_group_that_an_expression_calls_by_its_code_comes_too(both: Pair) -> None:
    group = {"id": "UnitGroup02", "name": "Rural", "shortName": "Rural", "code": "Zone rurale"}
    put(both.source, "organisationUnitGroups", group | {"organisationUnits": ids(DAKAR)})
    lookalike = {"id": "UnitGroup03", "name": "Port", "shortName": "Port", "code": "PortsOfCall"}
    put(both.source, "organisationUnitGroups", lookalike | {"organisationUnits": ids(DAKAR)})
    condition = "d2:inOrgUnitGroup('Zone rurale') || d2:inOrgUnitGroup( \"PortsOfCall\" )"
    change(both.source, "programRules", SECOND_RULE, condition=condition)

    result = synchronise(both.source, both.destination, ALONE)

    assert result.findings == ()
    there = stamps(both.destination, "organisationUnitGroups")
    assert there.keys() == {TOWNS, "UnitGroup02", "UnitGroup03"}
    assert synchronise(both.source, both.destination, ALONE).sent == 0


def test_a_code_that_no_org_unit_group_has_is_named(both: Pair) -> None:
    condition = "d2:inOrgUnitGroup('NOWHERE') || d2:inOrgUnitGroup('A,B')"
    change(both.source, "programRules", SECOND_RULE, condition=condition)

    result = synchronise(both.source, both.destination, ALONE)

    assert codes(result) == [("expression_unresolved", False)] * 2
    named = " ".join(finding.text for finding in result.findings)
    assert "organisationUnitGroups A,B" in named
    assert "organisationUnitGroups NOWHERE" in named
    assert result.sent == 1


def test_a_user_role_that_an_expression_asks_for_is_named_until_the_destination_has_it(
    both: Pair,
) -> None:
    condition = "d2:hasUserRole('RoleNurses1') || d2:hasUserRole(\"DOCTORS\")"
    change(both.source, "programRules", SECOND_RULE, condition=condition)

    first = synchronise(both.source, both.destination, ALONE)
    nurses = {"id": "RoleNurses1", "name": "Infirmiers", "authorities": []}
    doctors = {"id": "RoleDoctor1", "name": "Médecins", "code": "DOCTORS", "authorities": []}
    put(both.destination, "userRoles", nurses, doctors)

    assert codes(first) == [("user_role_unknown_there", False)] * 2
    assert [name in first.findings[0].text for name in ("DOCTORS", SECOND_RULE)] == [True] * 2
    assert "RoleNurses1" in first.findings[1].text
    assert first.sent == 1
    again = synchronise(both.source, both.destination, ALONE)
    assert (again.findings, again.sent) == ((), 0)


def test_what_came_without_the_short_name_that_is_demanded_gets_one_and_keeps_it(
    both: Pair, tmp_path: Path
) -> None:
    """As from a server whose objects are older than the demand."""
    long = "Projet de prise en charge communautaire des personnes"
    options = [
        {"id": f"CateOption{number}", "name": f"{long} {number}", "shortName": f"P{number}"}
        for number in (2, 3)
    ]
    put(both.source, "categoryOptions", *options)
    category = read(both.source, "categories", "Category001")
    held = [*category["categoryOptions"], *ids("CateOption2", "CateOption3")]
    put(both.source, "categories", category | {"categoryOptions": held})

    def older(body: Any) -> Any:
        rows = [
            {name: value for name, value in row.items() if name != "shortName"}
            for row in body.get("categoryOptions", [])
        ]
        return body | ({"categoryOptions": rows} if rows else {})

    def everywhere(request: Request) -> Reply:
        answer = both.source.request(
            request.method, request.path, params=request.query, also=(403, 404, 409)
        )
        return as_json(older(answer.json()), answer.status)

    with scripted(everywhere) as proxy, Dhis2Client(proxy.url, name="from") as source:
        first = synchronise(source, both.destination, ALONE)
        again = synchronise(source, both.destination, ALONE)

    assert (first.findings, again.sent) == ((), 0)
    short = {
        uid: read(both.destination, "categoryOptions", uid)["shortName"]
        for uid in ("CateOption1", "CateOption2", "CateOption3")
    }
    assert short["CateOption1"] == "Projet"  # it was there
    assert short["CateOption2"] == f"{long[:38]} CateOption2"
    assert short["CateOption3"] == f"{long[:38]} CateOption3"
    assert all(len(name) <= 50 for name in short.values())
