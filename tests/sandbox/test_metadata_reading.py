"""How is metadata asked for, and what does a server with other defaults answer?"""

from pathlib import Path

import pytest

from dhis2_sandbox.clock import Clock
from dhis2_sandbox.start import make_old_server
from sandbox.district import HIV, ROOT
from sandbox.metadata_server import VERSIONS, Keeper, element, keeper, refusals


WEIGHT = "ol1WpmrN6NG"
DEFAULTS = {
    "categoryCombos": "bjDvmb4bfuf",
    "categoryOptionCombos": "HllvX50cXC0",
    "categories": "GLevLNI9wkl",
    "categoryOptions": "xYerKDKCefk",
}


def test_objects_are_found_by_name_by_code_and_by_what_they_belong_to(one: Keeper) -> None:
    weight = one.read("dataElements", WEIGHT)

    assert one.uids("dataElements", filter=f"name:eq:{weight['name']}") == {WEIGHT}
    assert one.uids("dataElements", filter=f"code:eq:{weight['code']}") == {WEIGHT}
    assert one.uids("programRules", filter=f"program.id:eq:{HIV}") == {"dloYswGH55a"}
    assert len(one.uids("programStages", filter=f"program.id:eq:{HIV}")) == 3
    assert one.uids("organisationUnits", filter=f"id:in:[{ROOT},NoSuchUnit1]") == {ROOT}


def test_an_export_filters_all_of_its_classes_and_each_by_its_own(one: Keeper) -> None:
    export = one.caller.get(
        "/api/metadata",
        **{
            "programs": "true",
            "programStages:filter": f"program.id:eq:{HIV}",
            "programStages:fields": "id",
            "options": "false",
            "filter": "name:ne:Charge virale",
        },
    )

    assert export.keys() == {"system", "programs", "programStages"}
    assert len(export["programs"]) == 4
    assert len(export["programStages"]) == 2
    assert export["programStages"][0].keys() == {"id"}


def test_an_export_leaves_out_sharing_and_defaults_at_the_surface(one: Keeper) -> None:
    wanted = {"skipSharing": "true", "defaults": "EXCLUDE"}

    export = one.caller.get("/api/metadata", programs="true", categoryCombos="true", **wanted)

    assert "categoryCombos" not in export
    program = export["programs"][0]
    assert not {"sharing", "categoryCombo"} & program.keys()
    assert "sharing" in program["programTrackedEntityAttributes"][0]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_server_finds_its_own_defaults_by_their_name(data: Path, version: str) -> None:
    make_old_server(data, version, Clock())

    with keeper(data, version) as old:
        own = {plural: old.uids(plural, filter="name:eq:default") for plural in DEFAULTS}
        program = old.read("programs", HIV)

        assert all(len(uids) == 1 for uids in own.values())
        assert not set(DEFAULTS.values()) & {uid for uids in own.values() for uid in uids}
        assert {program["categoryCombo"]["id"]} == own["categoryCombos"]


def test_the_usual_defaults_are_strangers_to_an_old_server(data: Path, tmp_path: Path) -> None:
    with keeper(tmp_path / "usual.sqlite") as usual:
        export = usual.caller.get(f"/api/programs/{HIV}/metadata")
    make_old_server(data, "2.42.4", Clock())

    with keeper(data) as old:
        objects = old.send({plural: export[plural] for plural in DEFAULTS})
        program = old.send({"programs": export["programs"]})

    assert refusals(objects) == {(uid, "E5003") for uid in DEFAULTS.values()}
    assert refusals(program) == {(HIV, "E5002")}


def test_data_without_an_option_combo_gets_the_old_server_s_own(data: Path) -> None:
    make_old_server(data, "2.42.4", Clock())

    with keeper(data) as old:
        (combo,) = old.uids("categoryOptionCombos")
        events = old.caller.get("/api/tracker/events", program="fAw4hObwxfo", fields="*")["events"]

    assert events
    assert {event["attributeOptionCombo"] for event in events} == {combo}


def test_metadata_survives_a_restart(data: Path) -> None:
    with keeper(data) as server:
        server.store({"dataElements": [element("NewElement1", "Taille")]})
        before = server.caller.get("/api/metadata", fields="*")
    with keeper(data) as server:
        after = server.caller.get("/api/metadata", fields="*")

    assert {name: after[name] for name in after if name != "system"} == {
        name: before[name] for name in before if name != "system"
    }


def test_what_was_refused_leaves_nothing_behind(one: Keeper) -> None:
    both = {"dataElements": [element("NewElement1", "Taille"), element("NewElement2", "")]}

    assert one.send(both).status_code == 409

    assert not one.uids("dataElements") & {"NewElement1", "NewElement2"}
