"""Is each bad input a finding with a remedy, with nothing sent that would have to be undone?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.metadata_report import MetadataError
from dhis2_sandbox.metadata.classes import CLASSES
from servers import (
    HIV,
    MATERNAL,
    Pair,
    copied,
    delete,
    put,
    route,
    running,
    stamps,
)
from tracker_sync.codes.of_metadata import METADATA_REMEDIES
from tracker_sync.findings import Finding, require_none_blocking
from tracker_sync.leases.lease import HeldByAnother
from tracker_sync.metadata import MetadataResult, synchronise
from tracker_sync.metadata.clashes import Clash
from tracker_sync.metadata.judgement import clashing
from tracker_sync.metadata.moved_units import unit_findings
from tracker_sync.metadata.refusals import refusals


#: Metadata 2.7, spans included.
FACTS = """
3000-3002 3008-3012 4000-4002 4007 4009 4011 4014 4019 4021-4024 4028 4030 4033-4048 4051 4053
4057-4059 4071-4083 4088-4092 5000-5008 6001 6012 6022 6023 1118 1120-1122 1125 1130-1132 1520-1523
"""


def codes_of_facts() -> list[str]:
    spans = (span.partition("-") for span in FACTS.split())
    return [f"E{n}" for low, _, high in spans for n in range(int(low), int(high or low) + 1)]


def the_blocking(result: MetadataResult) -> Finding:
    (finding,) = [one for one in result.findings if one.blocking]
    assert finding.remedy
    with pytest.raises(Exception, match=finding.code):
        require_none_blocking(result.findings)  # so that no data task starts
    return finding


def account(client: Dhis2Client, *authorities: str) -> Dhis2Client:
    """Make an account with these authorities, and speak as that account."""
    name, password = "narrow", "Account-1234!"
    user: dict[str, Any] = {"id": "UserNarrow1", "username": name, "password": password}
    user |= {"firstName": name, "surname": name, "userRoles": [{"id": "RoleNarrow1"}]}
    role = {"id": "RoleNarrow1", "name": name, "code": name, "authorities": [*authorities]}
    client.post("/api/metadata", {"userRoles": [role], "users": [user]})
    return Dhis2Client(client.url, Credentials(name, password), name=client.name)


def test_an_account_without_authority_is_told_which_objects_it_may_not_write(pair: Pair) -> None:
    with account(pair.destination) as narrow:
        result = synchronise(pair.source, narrow, route(programs=(HIV,)))

    blocking = [one for one in result.findings if one.blocking]
    assert {one.code for one in blocking} == {"metadata_refused"}
    assert any("E3000" in one.text and "authority" in one.remedy for one in blocking)
    assert all("en français" in one.remedy for one in blocking)
    assert result.sent == 0
    assert stamps(pair.destination, "organisationUnits") == {}


def test_no_right_to_share_publicly_names_the_key_that_needs_none(pair: Pair) -> None:
    private = {kind.add[-1] for kind in CLASSES.values() if kind.add}
    assert "F_PROGRAM_PRIVATE_ADD" in private
    with account(pair.destination, *private) as narrow:
        result = synchronise(pair.source, narrow, route(programs=(HIV,)))

    blocking = [one for one in result.findings if one.blocking]
    assert {one.code for one in blocking} == {"metadata_refused"}
    (public,) = [one for one in blocking if "E3008" in one.text]
    assert f"Program {HIV}: E3008" in public.text
    assert "metadata_sharing" in public.remedy
    assert stamps(pair.destination, "organisationUnits") == {}


def test_a_program_that_the_source_does_not_show_blocks(pair: Pair) -> None:
    result = synchronise(pair.source, pair.destination, route(programs=(HIV, "NoProgram01")))

    finding = the_blocking(result)
    assert finding.code == "program_unreadable"
    assert "NoProgram01" in finding.text
    assert stamps(pair.destination, "programs") == {}


def test_org_units_in_a_circle_are_named_once() -> None:
    above = {"unitTop0001": "", "unitA000001": "unitB000001", "unitB000001": "unitA000001"}
    units = {uid: {"id": uid, "parent": {"id": parent}} for uid, parent in above.items()}

    findings = unit_findings((), {"organisationUnits": units}, "create")

    assert [(one.code, one.blocking) for one in findings] == [("org_unit_cycle", True)] * 2
    assert "unitA000001" in findings[0].text


def test_ten_thousand_org_units_are_looked_through_for_circles() -> None:
    units = {
        f"unit{n:07}": {"id": f"unit{n:07}", "parent": {"id": f"unit{n // 10:07}"}}
        for n in range(1, 10_000)
    }

    assert unit_findings((), {"organisationUnits": units}, "create") == []


def test_an_object_deleted_between_reading_and_writing_is_found_by_the_counts(pair: Pair) -> None:
    alone, uid = route(programs=(HIV,)), "NewRule0001"
    rule = {"id": uid, "name": "Règle", "program": {"id": HIV}, "condition": "true"}
    rule |= {"programRuleActions": []}
    put(pair.source, "programRules", rule)
    synchronise(pair.source, pair.destination, alone)
    put(pair.source, "programRules", rule | {"description": "nouveau"})

    result = synchronise(
        pair.source, pair.destination, alone, lambda: delete(pair.destination, "programRules", uid)
    )

    finding = the_blocking(result)
    assert finding.code == "metadata_miscounted"
    assert "run again" in finding.remedy
    assert uid not in stamps(pair.destination, "programRules")
    assert synchronise(pair.source, pair.destination, alone).sent
    assert uid in stamps(pair.destination, "programRules")


def test_a_name_taken_by_another_object_says_how_to_map_it(pair: Pair) -> None:
    element = next(iter(stamps(pair.source, "dataElements")))
    copied(pair, "dataElements", element, "LocalElem01", categoryCombo={"id": "bjDvmb4bfuf"})

    result = synchronise(pair.source, pair.destination, route())

    finding = the_blocking(result)
    assert finding.code == "metadata_clashes"
    assert f"`mapping: {{data_elements: {{{element}: LocalElem01}}}}`" in finding.remedy
    assert stamps(pair.destination, "programs") == {}


def test_another_value_type_under_data_blocks() -> None:
    (finding,) = clashing([Clash("dataElements", "ol1WpmrN6NG", "valueType", "ol1WpmrN6NG")])

    assert finding.blocking
    assert "ol1WpmrN6NG (valueType differs for good)" in finding.text
    assert "take the change back at the source" in finding.remedy


@pytest.mark.parametrize("versions", [("2.40.9", "2.43.1"), ("2.43.1", "2.40.9")])
def test_a_destination_newer_or_older_gets_the_model_and_nothing_twice(
    tmp_path: Path, versions: tuple[str, str]
) -> None:
    here, there = versions
    alone = route(programs=(MATERNAL,))
    with (
        running(tmp_path, "from", district=True, version=here) as source,
        running(tmp_path, "to", version=there) as destination,
    ):
        first = synchronise(source, destination, alone)
        second = synchronise(source, destination, alone)

    assert not [one for one in first.findings if one.blocking]
    assert first.sent
    assert second.sent == 0


def test_a_half_finished_apply_is_finished_by_the_next_run(pair: Pair) -> None:
    writes: list[int] = []

    def lost_after_the_units() -> None:
        writes.append(len(writes))
        if len(writes) == 3:
            raise HeldByAnother("taken over")

    with pytest.raises(HeldByAnother):
        synchronise(pair.source, pair.destination, route(), lost_after_the_units)
    assert len(stamps(pair.destination, "organisationUnits")) == 40
    assert stamps(pair.destination, "programs") == {}

    result = synchronise(pair.source, pair.destination, route())

    assert result.findings == ()
    assert (result.counts["organisationUnits"].new, result.counts["programs"].new) == (0, 3)
    assert synchronise(pair.source, pair.destination, route()).sent == 0


@pytest.mark.parametrize("code", codes_of_facts())
def test_every_code_of_a_metadata_import_has_a_meaning_and_a_remedy(code: str) -> None:
    remedy = METADATA_REMEDIES[code]

    assert all([remedy.meaning_en, remedy.do_en, remedy.meaning_fr, remedy.do_fr])
    assert remedy.meaning_en != remedy.meaning_fr


def test_the_rows_of_metadata_codes_are_in_order_and_short() -> None:
    codes = [code for code in METADATA_REMEDIES if code != "UNKNOWN"]

    assert codes == sorted(codes)
    assert all(re.fullmatch(r"E\d{4}|[a-z_]+", code) for code in codes)
    assert len(codes) > 80


def test_a_code_that_nobody_knows_is_told_with_its_object() -> None:
    (finding,) = refusals("to", "COMMIT", [MetadataError("Program", HIV, "E9999", "name")])

    assert f"Program {HIV}: E9999 on name" in finding.text
    assert "documentation" in finding.remedy


def test_a_refusal_that_names_no_object_is_a_finding_too() -> None:
    (finding,) = refusals("to", "COMMIT", [])

    assert finding.blocking
    assert finding.remedy
