"""Does an empty destination get what the data needs, once, and nothing twice?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from servers import (
    DAKAR,
    HIV,
    MATERNAL,
    PERSON,
    SENEGAL,
    SURVEILLANCE,
    VACCINATION,
    Pair,
    add_option,
    put,
    read,
    reader,
    route,
    running,
    stamps,
)
from tracker_sync.leases.lease import HeldByAnother
from tracker_sync.metadata import describe, synchronise


def codes(findings: Any) -> list[str]:
    return [finding.code for finding in findings]


def test_an_empty_destination_gets_all_that_the_programs_need(pair: Pair) -> None:
    assert stamps(pair.destination, "programs") == {}

    result = synchronise(pair.source, pair.destination, route())

    assert result.findings == ()
    for plural in ("programs", "programStages", "trackedEntityAttributes", "relationshipTypes"):
        assert result.counts[plural].new == len(stamps(pair.destination, plural))
    assert stamps(pair.destination, "programs").keys() == {HIV, MATERNAL, VACCINATION}
    assert len(stamps(pair.destination, "organisationUnits")) == 40
    assert result.sent == sum(count.new for count in result.counts.values())
    assert result.model.tracked_entity_types == dict.fromkeys((HIV, MATERNAL, VACCINATION), PERSON)


def test_a_second_run_sends_nothing_and_moves_no_stamp(pair: Pair) -> None:
    first = synchronise(pair.source, pair.destination, route())
    before = {plural: stamps(pair.destination, plural) for plural in first.counts}
    assert all(before.values())

    second = synchronise(pair.source, pair.destination, route())

    assert second.sent == 0
    assert {plural: stamps(pair.destination, plural) for plural in first.counts} == before
    assert second.model == first.model


def test_an_attribute_that_only_the_type_uses_arrives(pair: Pair) -> None:
    whole = pair.source.get(f"/api/programs/{MATERNAL}/metadata")
    exported = {fields["id"] for fields in whole["trackedEntityAttributes"]}

    result = synchronise(pair.source, pair.destination, route(programs=(MATERNAL,)))

    assert result.model.type_attributes[PERSON] - exported
    assert (
        result.model.type_attributes[PERSON]
        <= stamps(pair.destination, "trackedEntityAttributes").keys()
    )


def test_what_only_the_destination_has_stays(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, route())
    unit = {"id": "LocalUnit01", "name": "Ici", "shortName": "Ici", "openingDate": "2020-01-01"}
    put(pair.destination, "organisationUnits", unit)
    program = read(pair.destination, "programs", HIV)
    mine = program["organisationUnits"] + [{"id": "LocalUnit01"}]
    sharing = program["sharing"] | {"public": "rwrw----", "users": {}}
    put(pair.destination, "programs", program | {"organisationUnits": mine, "sharing": sharing})
    put(pair.source, "programs", read(pair.source, "programs", HIV) | {"name": "VIH, nouveau nom"})

    result = synchronise(pair.source, pair.destination, route())

    after = read(pair.destination, "programs", HIV)
    assert (result.counts["programs"].changed, result.sent) == (1, 1)
    assert after["name"] == "VIH, nouveau nom"
    assert {"id": "LocalUnit01"} in after["organisationUnits"]
    assert "LocalUnit01" in stamps(pair.destination, "organisationUnits")


def test_a_change_never_replaces_the_sharing_at_the_destination(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, route())
    closed = read(pair.destination, "programs", HIV)
    closed["sharing"] = closed["sharing"] | {"public": "r-r-----"}
    put(pair.destination, "programs", closed)
    put(pair.source, "programs", read(pair.source, "programs", HIV) | {"name": "VIH, nouveau nom"})

    synchronise(pair.source, pair.destination, route())

    after = read(pair.destination, "programs", HIV)
    assert after["name"] == "VIH, nouveau nom"
    assert after["sharing"]["public"] == "r-r-----"


def test_an_option_added_at_the_source_arrives_and_changes_the_model(pair: Pair) -> None:
    before = synchronise(pair.source, pair.destination, route())
    option = add_option(pair.source, "UNKNOWN")

    after = synchronise(pair.source, pair.destination, route())

    assert (after.counts["options"].new, after.counts["optionSets"].changed) == (1, 1)
    assert option in stamps(pair.destination, "options")
    assert after.model.hash != before.model.hash
    assert synchronise(pair.source, pair.destination, route()).sent == 0


def test_an_option_added_at_the_destination_stays_and_changes_the_model(pair: Pair) -> None:
    before = synchronise(pair.source, pair.destination, route())
    option = add_option(pair.destination, "LOCAL")

    after = synchronise(pair.source, pair.destination, route())

    assert after.sent == 0
    assert option in stamps(pair.destination, "options")
    assert after.model.hash != before.model.hash


def test_check_sends_nothing_and_says_what_would_refuse_data(pair: Pair) -> None:
    synchronise(pair.source, pair.destination, route())
    add_option(pair.source, "UNKNOWN")
    put(pair.source, "programs", read(pair.source, "programs", HIV) | {"name": "VIH, nouveau nom"})
    before = {plural: stamps(pair.destination, plural) for plural in ("programs", "options")}

    result = synchronise(pair.source, pair.destination, route(metadata="check"))

    said: dict[str, list[Any]] = {finding.code: [] for finding in result.findings}
    for finding in result.findings:
        said[finding.code].append(finding)
    assert all(finding.blocking for finding in said["metadata_differs"])
    assert [finding.text.split(" in ")[-1].split()[0] for finding in said["metadata_differs"]] == [
        "optionSets",
        "options",
    ]
    (drift,) = said["metadata_drifts"]
    assert not drift.blocking
    assert f"programs {HIV} (name)" in drift.text
    assert result.sent == 0
    assert {plural: stamps(pair.destination, plural) for plural in before} == before


def test_check_of_an_empty_destination_names_every_class(pair: Pair) -> None:
    result = synchronise(pair.source, pair.destination, route(metadata="check"))

    named = {finding.code: 0 for finding in result.findings}
    for finding in result.findings:
        named[finding.code] += 1
    assert sum(named.values()) == len(result.counts)
    assert named["metadata_differs"] > named["metadata_drifts"] > 0
    assert stamps(pair.destination, "organisationUnits") == {}


def test_ignore_sends_nothing_and_finds_nothing(pair: Pair) -> None:
    result = synchronise(pair.source, pair.destination, route(metadata="ignore"))

    assert result.findings == ()
    assert result.sent == 0
    assert HIV in result.model.program_attributes
    assert stamps(pair.destination, "organisationUnits") == {}


def test_a_route_of_one_region_brings_that_region_and_its_ancestors(pair: Pair) -> None:
    result = synchronise(pair.source, pair.destination, route(org_units=(DAKAR,)))

    units = stamps(pair.destination, "organisationUnits").keys()
    assigned = {unit["id"] for unit in read(pair.destination, "programs", HIV)["organisationUnits"]}
    assert len(units) == 14
    assert units == result.model.org_units.keys()
    assert units - assigned == {SENEGAL}


def test_relationships_to_a_program_outside_the_route_are_left_out_aloud(pair: Pair) -> None:
    result = synchronise(pair.source, pair.destination, route(programs=(MATERNAL,)))

    assert codes(result.findings) == ["relationship_type_left_out"]
    assert not result.findings[0].blocking
    assert stamps(pair.destination, "relationshipTypes") == {}
    assert result.sent


@pytest.mark.parametrize("version", ["2.40.9", "2.41.8", "2.42.4", "2.43.1"])
def test_a_program_without_registration_arrives_with_its_stage(
    tmp_path: Path, version: str
) -> None:
    with (
        running(tmp_path, "from", district=True, version=version) as source,
        running(tmp_path, "to", version=version) as destination,
    ):
        alone = route(programs=(SURVEILLANCE,))

        result = synchronise(source, destination, alone)

        assert result.findings == ()
        assert result.model.event_programs.keys() == {SURVEILLANCE}
        assert result.model.tracked_entity_types == {}
        (stage,) = read(destination, "programs", SURVEILLANCE)["programStages"]
        fields = read(destination, "programStages", stage["id"])
        assert len(fields["programStageDataElements"]) == 4
        assert synchronise(source, destination, alone).sent == 0


def test_a_code_that_another_object_has_there_is_named_and_nothing_is_stored(
    pair: Pair,
) -> None:
    taken = {"id": "LocalUnit01", "name": "Ici", "shortName": "Ici", "openingDate": "2020-01-01"}
    local = {
        "id": "LocalAttr01",
        "name": "Ailleurs",
        "shortName": "Ailleurs",
        "code": "NATIONAL_ID",
        "valueType": "TEXT",
        "aggregationType": "NONE",
    }
    put(pair.destination, "organisationUnits", taken)
    put(pair.destination, "trackedEntityAttributes", local)

    result = synchronise(pair.source, pair.destination, route())

    (finding,) = result.findings
    assert (finding.code, finding.blocking) == ("metadata_clashes", True)
    assert "(code is LocalAttr01's there)" in finding.text
    assert "Ailleurs" not in finding.text
    assert (result.sent, result.counts["trackedEntityAttributes"].clashing) == (0, 1)
    assert stamps(pair.destination, "organisationUnits").keys() == {"LocalUnit01"}
    assert stamps(pair.destination, "programs") == {}


def test_a_log_names_classes_counts_and_findings(pair: Pair) -> None:
    result = synchronise(pair.source, pair.destination, route(programs=(MATERNAL,)))

    lines = describe(result)

    assert "programs: 1 new, 0 changed, 0 the same" in lines
    assert any(line.startswith(f"{result.sent} objects sent") for line in lines)
    assert any(line.startswith("relationship_type_left_out") for line in lines)


def test_a_reference_that_the_source_does_not_show_blocks_and_is_named(pair: Pair) -> None:
    attribute = "e6bl9NqfY2M"
    assert attribute in stamps(pair.source, "trackedEntityAttributes")
    whole = read(pair.source, "trackedEntityAttributes", attribute)
    put(pair.source, "trackedEntityAttributes", whole | {"sharing": {"public": "--------"}})

    with reader(pair.source) as limited:
        result = synchronise(limited, pair.destination, route())

    (finding,) = [one for one in result.findings if one.blocking]
    assert (finding.code, finding.blocking) == ("reference_unresolved", True)
    assert f"trackedEntityAttributes {attribute}" in finding.text
    assert stamps(pair.destination, "organisationUnits") == {}


def test_each_write_request_asks_first_and_none_follows_a_lost_lease(pair: Pair) -> None:
    asked: list[int] = []

    def keep() -> None:
        asked.append(len(stamps(pair.destination, "organisationUnits")))
        if len(asked) == 3:
            raise HeldByAnother("taken over")

    with pytest.raises(HeldByAnother):
        synchronise(pair.source, pair.destination, route(), keep)

    assert asked == [0, 0, 40]  # one look at all of it, then the units, then the others
    assert stamps(pair.destination, "programs") == {}
