"""An import report is read by UID: what it does not name was not imported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhis2_api.answers import Answer
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, UnexpectedAnswer
from dhis2_api.import_report import read_report
from dhis2_api.importer import ImportReport, Ref, import_objects
from scripted_server import Reply, as_json, scripted


EVENT = {"trackerType": "EVENT", "uid": "xErkEhVILCo"}
PERSON = {"trackerType": "TRACKED_ENTITY", "uid": "t3txDdBQoV5"}
ERROR = {**EVENT, "errorCode": "E1302", "message": "DataElement is not valid: canary", "args": []}


def report(errors: list[Any], stored: list[Any]) -> dict[str, Any]:
    """A report as 2.42.4 gives it (recordings: 085-mixed-atomic-object)."""
    kinds = {item["trackerType"] for item in stored}
    return {
        "status": "OK",
        "validationReport": {"errorReports": errors, "warningReports": []},
        "stats": {"created": 1, "updated": 0, "deleted": 0, "ignored": 1, "total": 2},
        "bundleReport": {
            "typeReportMap": {
                kind: {"objectReports": [item for item in stored if item["trackerType"] == kind]}
                for kind in kinds
            }
        },
    }


def imported(reply: Reply) -> ImportReport:
    with scripted(lambda _: reply) as server, Dhis2Client(server.url) as client:
        return import_objects(client, {"events": []})


def test_a_200_may_hold_refusals() -> None:
    found = imported(as_json(report([ERROR], [PERSON])))

    assert found.stored == {Ref("TRACKED_ENTITY", "t3txDdBQoV5")}
    assert found.refused == {Ref("EVENT", "xErkEhVILCo"): ("E1302",)}


def test_a_409_may_be_the_report() -> None:
    body = report([ERROR], []) | {"status": "ERROR"}
    del body["bundleReport"]

    found = imported(as_json(body, 409))

    assert found.stored == frozenset()
    assert found.refused.keys() == {Ref("EVENT", "xErkEhVILCo")}


def test_a_refusal_outranks_a_success_and_keeps_all_its_codes() -> None:
    second = {**ERROR, "errorCode": "E1305"}

    found = imported(as_json(report([ERROR, second], [EVENT])))

    assert found.stored == frozenset()
    assert found.refused == {Ref("EVENT", "xErkEhVILCo"): ("E1302", "E1305")}


def test_a_409_that_is_no_report_refuses_the_whole_request() -> None:
    with pytest.raises(RequestRefused) as error:
        imported(
            as_json({"httpStatus": "Conflict", "message": "canary", "errorCode": "E7145"}, 409)
        )

    assert (error.value.status, error.value.code) == (409, "E7145")
    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"status": "OK"}, {"status": "OK", "validationReport": {}}, "pong"],
    ids=str,
)
def test_a_200_without_a_report_is_never_taken_for_success(body: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        imported(as_json(body))


named = st.lists(st.sampled_from("ABCDEF"), max_size=8)


@given(stored=named, errors=named)
def test_each_object_of_a_report_is_accounted_exactly_once(
    stored: list[str], errors: list[str]
) -> None:
    body = report(
        [{**ERROR, "uid": uid} for uid in errors], [{**EVENT, "uid": uid} for uid in stored]
    )

    found = read_report(Answer("test", 200, "application/json", json.dumps(body).encode()))

    assert not found.stored & found.refused.keys()
    assert {ref.uid for ref in found.stored | found.refused.keys()} == {*stored, *errors}
    assert sum(map(len, found.refused.values())) == len(errors)


def test_an_error_beside_stored_objects_is_a_contradiction() -> None:
    with pytest.raises(UnexpectedAnswer):
        imported(as_json(report([ERROR], [PERSON]) | {"status": "ERROR"}))


def test_an_error_inside_a_stored_object_refuses_it() -> None:
    found = imported(as_json(report([], [{**PERSON, "errorReports": [{**ERROR, **PERSON}]}])))

    assert found.stored == frozenset()
    assert found.refused == {Ref("TRACKED_ENTITY", "t3txDdBQoV5"): ("E1302",)}


REMARK = {**EVENT, "warningCode": "E1120"}


@given(stored=named)
def test_a_report_without_remarks_reads_as_one_with_a_remark(stored: list[str]) -> None:
    body = report([], [{**EVENT, "uid": uid} for uid in stored] + [PERSON])
    remarked = body | {"validationReport": {"errorReports": [], "warningReports": [REMARK]}}

    plain, other = (
        read_report(Answer("test", 200, "application/json", json.dumps(each).encode()))
        for each in (body, remarked)
    )

    assert other.warnings
    assert (
        plain.stored
        == other.stored
        == {Ref("EVENT", uid) for uid in stored} | {Ref("TRACKED_ENTITY", "t3txDdBQoV5")}
    )
    assert not plain.refused


@pytest.mark.parametrize(
    "odd",
    [{"trackerType": "EVENT"}, {"trackerType": "ANIMAL", "uid": "a"}, {**EVENT, "uid": 1}, []],
    ids=str,
)
def test_a_stored_object_of_another_shape_is_never_taken_for_one(odd: Any) -> None:
    body = report([], [PERSON])
    body["bundleReport"]["typeReportMap"]["TRACKED_ENTITY"]["objectReports"].append(odd)

    with pytest.raises(UnexpectedAnswer):
        imported(as_json(body))
