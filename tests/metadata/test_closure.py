"""Does all that the data needs come from the source, or is it named what does not?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.metadata_classes import Asked, read_many
from metadata.objects import ids, program
from scripted_server import Reply, Request, as_json, scripted
from servers import (
    DAKAR,
    HIV,
    MATERNAL,
    Pair,
    delete,
    put,
    read,
    reader,
    route,
    running,
    stamps,
)
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.closure import closure_of, read_closure
from tracker_sync.metadata.cut_answers import require_whole
from tracker_sync.metadata.org_units import Scope
from tracker_sync.metadata.source import Source
from tracker_sync.metadata.source_reading import read_source


EXPORT = f"/api/programs/{HIV}/metadata"
RECORDED = Path(__file__).parent / "recorded"
Change = Callable[[str, Any], Any]


@contextmanager
def through(server: Dhis2Client, change: Change) -> Iterator[Dhis2Client]:
    """Speak to a server whose answers are changed on their way."""

    def script(request: Request) -> Reply:
        answer = server.request(
            request.method, request.path, params=request.query, also=(403, 404, 409)
        )
        return as_json(change(request.path, answer.json()), answer.status)

    with scripted(script) as proxy, Dhis2Client(proxy.url, name="from") as client:
        yield client


def without(plural: str) -> Change:
    def change(path: str, body: Any) -> Any:
        assert path != EXPORT or plural in body
        return {name: of for name, of in body.items() if name != plural or path != EXPORT}

    return change


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dhis2Client]:
    with running(tmp_path_factory.mktemp("source"), "from", district=True) as client:
        yield client


CUT = (
    "dataElements",
    "optionSets",
    "options",
    "programRuleActions",
    "programRuleVariables",
    "programRules",
    "programStages",
    "programs",
    "trackedEntityAttributes",
    "trackedEntityTypes",
)


@pytest.mark.parametrize("plural", CUT)
def test_an_export_that_came_without_a_class_is_found_out(source: Dhis2Client, plural: str) -> None:
    with through(source, without(plural)) as cut, pytest.raises(UnexpectedAnswer) as caught:
        read_closure(cut, route(programs=(HIV,)), {})

    assert "cut" in str(caught.value) or "without the program itself" in str(caught.value)


@pytest.mark.parametrize("version", ["2.40.9", "2.41.8", "2.42.4", "2.43.1"])
def test_an_object_that_was_cut_is_found_out(version: str) -> None:
    classes = json.loads((RECORDED / f"{version}.json").read_text())["HIV"]
    require_whole("from", classes)
    for name in ("programs", "programStages", "optionSets", "trackedEntityTypes"):
        whole = classes[name][-1]
        half = dict(list(whole.items())[: len(whole) // 2])

        with pytest.raises(UnexpectedAnswer, match="was cut"):
            require_whole("from", classes | {name: [half]})


def test_an_account_that_may_not_export_gets_the_same_class_by_class_and_is_told(
    source: Dhis2Client,
) -> None:
    whole = read_closure(source, route(), {})
    with reader(source) as limited:
        read = read_source(limited, route())

    (finding,) = read.findings
    assert (finding.code, finding.blocking) == ("metadata_read_by_class", False)
    by_class = closure_of(read, route(), {})
    assert by_class.unresolved == ()
    defaults = {"categories", "categoryCombos", "categoryOptionCombos", "categoryOptions"}
    assert by_class.objects.keys() - defaults == whole.objects.keys() - defaults
    for plural in whole.objects.keys() - defaults:
        assert by_class.objects[plural] == whole.objects[plural]


def test_a_relationship_to_a_program_outside_does_not_have_that_program_read(
    source: Dhis2Client,
) -> None:
    whole = read_source(source, route())

    alone = read_source(source, route(programs=(MATERNAL,)))

    assert alone.relationship_types == whole.relationship_types
    assert alone.objects["programs"].keys() == {MATERNAL}
    assert whole.objects["programs"].keys() > {MATERNAL}


def test_an_object_that_is_not_shared_is_named(tmp_path: Path) -> None:
    with running(tmp_path, "from", district=True) as server:
        uid = next(iter(read_closure(server, route(programs=(HIV,)), {}).objects["dataElements"]))
        hidden = {"sharing": {"public": "--------"}}
        put(server, "dataElements", read(server, "dataElements", uid) | hidden)
        with reader(server) as limited:
            closure = read_closure(limited, route(programs=(HIV,)), {})

    assert [finding.code for finding in closure.unresolved] == ["reference_unresolved"]
    assert f"dataElements {uid}" in closure.unresolved[0].text
    assert closure.unresolved[0].remedy.startswith("give the source account read access")


def test_a_program_that_cannot_be_read_is_named_and_nothing_is_written(pair: Pair) -> None:
    result = synchronise(pair.source, pair.destination, route(programs=(HIV, "NoProgram01")))

    (finding,) = [one for one in result.findings if one.blocking]
    assert (finding.code, result.sent) == ("program_unreadable", 0)
    assert "NoProgram01" in finding.text
    assert stamps(pair.destination, "organisationUnits") == {}


def test_a_program_deleted_between_two_runs_is_named(pair: Pair) -> None:
    unused = {"id": "unusedProg1", "code": "UNUSED", "programStages": []}  # no data holds it
    put(pair.source, "programs", read(pair.source, "programs", MATERNAL) | unused)
    synchronise(pair.source, pair.destination, route(programs=("unusedProg1",)))
    delete(pair.source, "programs", "unusedProg1")

    result = synchronise(pair.source, pair.destination, route(programs=("unusedProg1",)))

    assert [finding.code for finding in result.findings] == ["program_unreadable"]
    assert "unusedProg1" in stamps(pair.destination, "programs")


def test_a_cycle_comes_to_an_end() -> None:
    ours = program(programStages=ids("stageaaaaa1"), organisationUnits=[])
    stage = {"id": "stageaaaaa1", "program": {"id": "another0001"}}
    another = {"id": "another0001", "programStages": ids("stageaaaaa1", "stagebbbbb1")}
    back = {"id": "stagebbbbb1", "program": {"id": ours["id"]}}
    made = {"programs": {ours["id"]: ours}, "programStages": {"stageaaaaa1": stage}}
    source = Source(programs={ours["id"]: made}, scope=Scope(frozenset(), {}))
    source.take(made)
    source.take({"programs": {"another0001": another}, "programStages": {"stagebbbbb1": back}})

    closure = closure_of(source, route(programs=(ours["id"],)), {})

    assert closure.objects["programs"].keys() == {ours["id"], "another0001"}
    assert closure.objects["programStages"].keys() == {"stageaaaaa1", "stagebbbbb1"}


def test_what_an_expression_names_comes_too_or_is_named(tmp_path: Path) -> None:
    constant = {"id": "constantAb1", "name": "Seuil", "shortName": "Seuil", "value": 3}
    group = {"id": "unitGroup01", "name": "Urbain", "organisationUnits": ids(DAKAR, "elsewhere01")}

    def known(path: str, body: Any) -> Any:
        more = {"constants": [constant], "organisationUnitGroups": [group]}
        return body | more if path == "/api/metadata" else body

    with running(tmp_path, "from", district=True) as server:
        (rule,) = read_closure(server, route(programs=(HIV,)), {}).objects["programRules"].values()
        names = "#{poids} > C{constantAb1} && d2:inOrgUnitGroup('unitGroup01')"
        put(server, "programRules", rule | {"condition": names})
        missing = read_closure(server, route(programs=(HIV,)), {})
        with through(server, known) as client:
            whole = read_closure(client, route(programs=(HIV,), org_units=(DAKAR,)), {})

    assert {finding.code for finding in missing.unresolved} == {"expression_unresolved"}
    assert not any(finding.blocking for finding in missing.unresolved)
    assert whole.unresolved == ()
    assert whole.objects["constants"] == {"constantAb1": constant}
    assert whole.objects["organisationUnitGroups"]["unitGroup01"]["organisationUnits"] == ids(DAKAR)


def test_user_groups_named_in_sharing_come_by_name_where_the_route_wants_them(
    tmp_path: Path,
) -> None:
    groups = {"groupKnown1": {"id": "groupKnown1", "access": "rwrw----"}}
    groups["groupGone01"] = {"id": "groupGone01", "access": "r-r-----"}
    with running(tmp_path, "from", district=True) as server:
        for uid, name in (("groupKnown1", "Saisie"), ("groupGone01", "Ancienne")):
            put(server, "userGroups", {"id": uid, "name": name, "users": []})
        shared = read(server, "programs", HIV)
        shared["sharing"] = shared["sharing"] | {"userGroups": groups}
        put(server, "programs", shared)
        delete(server, "userGroups", "groupGone01")
        wanted = read_source(server, route(programs=(HIV,)), groups=True)
        closure = closure_of(wanted, route(programs=(HIV,)), {})
        plain = read_closure(server, route(programs=(HIV,)), {})

    assert closure.objects["userGroups"] == {"groupKnown1": {"id": "groupKnown1", "name": "Saisie"}}
    assert closure.objects["programs"][HIV]["sharing"]["userGroups"].keys() == groups.keys()
    assert [finding.code for finding in closure.unresolved] == ["user_group_unread"]
    assert "userGroups" not in plain.objects
    assert plain.unresolved == ()


def test_a_class_that_a_version_may_not_know_is_never_asked_for(source: Dhis2Client) -> None:
    with pytest.raises(ValueError, match="eventVisualisations"):
        read_many(source, [Asked("eventVisualisations")])


def test_more_uids_than_a_url_holds_are_asked_for_in_several(source: Dhis2Client) -> None:
    units = tuple(stamps(source, "organisationUnits"))
    strangers = tuple(f"nobody{number:05d}" for number in range(900))
    asked = Asked("organisationUnits", "id:in", units + strangers)

    found = read_many(source, [asked, Asked("relationshipTypes")])

    assert found[asked].keys() == set(units)
    assert len(units) == 40
