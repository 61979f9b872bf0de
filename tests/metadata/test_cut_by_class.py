"""Is it found out that a program read class by class lost what nothing else refers to?

An account that may not export a program reads its classes; such an answer, cut off, is valid
JSON with status 200. A proxy cuts those of the source here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from metadata.cut_short import Cut, always_without, through
from metadata.grown import (
    INDICATOR,
    RULE,
    SECOND_RULE,
    SECOND_VARIABLE,
    VARIABLE,
    grow,
)
from metadata.twins import ALONE
from scripted_server import Reply, Request, as_json, scripted
from servers import HIV, SENEGAL, Pair, grant, put, read, reader, route, running, stamps
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.closure import Closure, read_closure
from tracker_sync.metadata.completeness import cut_off
from tracker_sync.metadata.modelling import model_of


#: What the grown program has of each class that need not be referred to.
THERE = {
    "programIndicators": {INDICATOR},
    "programRuleVariables": {VARIABLE, SECOND_VARIABLE},
    "programRules": {RULE, SECOND_RULE},
}
ROWS = {"programSections", "programStages"} | THERE.keys()


@pytest.fixture(scope="module", params=["2.40.9", "2.41.8", "2.42.4", "2.43.1"])
def limited(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dhis2Client]:
    """An account of a source that may not export, with an object of every kind to read."""
    folder = tmp_path_factory.mktemp("by-class")
    with running(folder, "from", district=True, version=request.param) as server:
        grow(server)
        with reader(server) as account:
            yield account


def whole(plural: str, request: Request) -> bool:
    return request.query.get(f"{plural}:fields", "").startswith(":owner")


def without(plural: str) -> Cut:
    def cut(request: Request, body: Any) -> Any:
        return {of: rows for of, rows in body.items() if of != plural or not whole(of, request)}

    return cut


def emptied(plural: str) -> Cut:
    def cut(request: Request, body: Any) -> Any:
        return body | ({plural: []} if whole(plural, request) else {})

    return cut


def without_its_last(plural: str) -> Cut:
    def cut(request: Request, body: Any) -> Any:
        return body | ({plural: body.get(plural, [])[:-1]} if whole(plural, request) else {})

    return cut


def closure(client: Dhis2Client) -> Closure:
    return read_closure(client, ALONE, {})


def test_a_source_whose_answers_are_whole_is_not_suspected(limited: Dhis2Client) -> None:
    read_whole = closure(limited)
    model = model_of(read_whole.objects, {})

    assert read_whole.unresolved == ()
    assert {of: read_whole.objects[of].keys() for of in THERE} == THERE
    assert all(read_whole.objects[of] for of in ROWS)
    assert cut_off(limited, ALONE, model) == []


@pytest.mark.parametrize("plural", sorted(ROWS))
@pytest.mark.parametrize("cut", [without, emptied, without_its_last])
def test_a_class_that_came_without_all_or_some_of_its_objects_is_found_out(
    limited: Dhis2Client, plural: str, cut: Callable[[str], Cut]
) -> None:
    with through(limited, cut(plural)) as cut_short, pytest.raises(UnexpectedAnswer) as caught:
        closure(cut_short)

    assert "the metadata came without " in str(caught.value)
    assert f" {plural} " in str(caught.value)
    assert "run again" in str(caught.value)


@pytest.mark.parametrize("left", [{}, {"programRuleActions": []}])
def test_a_rule_that_came_without_its_actions_is_found_out(
    limited: Dhis2Client, left: dict[str, Any]
) -> None:
    def cut(request: Request, body: Any) -> Any:
        if not whole("programRules", request):
            return body
        bare = [
            {of: value for of, value in rule.items() if of != "programRuleActions"} | left
            for rule in body["programRules"]
        ]
        return body | {"programRules": bare}

    with through(limited, cut) as cut_short, pytest.raises(UnexpectedAnswer) as caught:
        closure(cut_short)

    assert "came without programRuleActions " in str(caught.value)


@pytest.mark.parametrize("plural", sorted(THERE))
def test_a_class_that_every_such_answer_lost_is_found_out_by_asking_for_it_alone(
    limited: Dhis2Client, plural: str
) -> None:
    with through(limited, always_without(plural)) as cut_short:
        model = model_of(closure(cut_short).objects, {})
        (finding,) = cut_off(cut_short, ALONE, model)

    assert (finding.code, finding.blocking) == ("source_answer_cut", True)
    assert plural in finding.text
    assert all(uid in finding.text for uid in THERE[plural])


def test_what_is_not_shared_with_the_account_is_not_taken_for_lost(tmp_path: Path) -> None:
    with running(tmp_path, "from", district=True) as server:
        grow(server)
        indicator = read(server, "programIndicators", INDICATOR)
        hidden = indicator | {"id": "IndicHidden", "name": "H", "shortName": "H", "code": "H"}
        put(server, "programIndicators", hidden | {"sharing": {"public": "--------"}})
        assert "IndicHidden" in stamps(server, "programIndicators")
        with reader(server) as account:
            read_by_class = closure(account)
            findings = cut_off(account, ALONE, model_of(read_by_class.objects, {}))

    assert read_by_class.objects["programIndicators"].keys() == {INDICATOR}
    assert findings == []


def test_rules_of_a_program_that_is_hidden_are_not_taken_for_lost(tmp_path: Path) -> None:
    with running(tmp_path, "from", district=True) as server:
        grow(server)
        hidden = {"sharing": {"public": "--------"}}
        put(server, "programs", read(server, "programs", HIV) | hidden)
        with reader(server) as account:
            model = model_of(closure(account).objects, {})

            assert model.program_attributes == {}
            assert cut_off(account, ALONE, model) == []


def test_names_are_asked_for_in_a_request_that_is_sent_anyhow(
    limited: Dhis2Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, str]] = []
    send = Dhis2Client.send

    def noted(self: Dhis2Client, request: Any, **also: Any) -> Any:
        sent.append(dict(request.params))
        return send(self, request, **also)

    monkeypatch.setattr(Dhis2Client, "send", noted)
    closure(limited)

    (names,) = [one for one in sent if one.get("programRules:fields", "").startswith("id")]
    assert names["trackedEntityTypes:fields"] == ":owner"


def test_a_destination_gets_nothing_of_a_model_whose_rules_were_lost(both: Pair) -> None:
    with reader(both.source) as account, through(account, always_without("programRules")) as cut:
        put(both.source, "programRules", read(both.source, "programRules", RULE) | {"name": "R"})
        indicator = read(both.source, "programIndicators", INDICATOR)
        put(both.source, "programIndicators", indicator | {"name": "Autre", "shortName": "A"})
        before = stamps(both.destination, "programIndicators")
        result = synchronise(cut, both.destination, ALONE)

    (finding,) = [one for one in result.findings if one.blocking]
    assert finding.code == "source_answer_cut"
    assert RULE in finding.text
    assert result.sent == 0
    assert stamps(both.destination, "programIndicators") == before != {}


def test_a_mirror_deletes_no_rule_that_both_answers_of_an_export_lost(both: Pair) -> None:
    grant(both.destination, SENEGAL)

    def script(request: Request) -> Reply:
        answer = both.source.request(
            request.method, request.path, params=request.query, also=(403, 404, 409)
        )
        gone = {"programRules", "programRuleActions"} if "metadata" in request.path else set()
        body = answer.json()
        return as_json({of: rows for of, rows in body.items() if of not in gone}, answer.status)

    mirror = route(programs=(HIV,), metadata_extras="mirror")
    with scripted(script) as proxy, Dhis2Client(proxy.url, name="from") as cut_short:
        result = synchronise(cut_short, both.destination, mirror)

    assert ("source_answer_cut", True) in [(one.code, one.blocking) for one in result.findings]
    assert result.removed == 0
    assert stamps(both.destination, "programRules").keys() >= {RULE, SECOND_RULE}
