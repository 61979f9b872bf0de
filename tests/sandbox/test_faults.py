"""Do faults come when they are ordered, and only then?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.error import HTTPError

import pytest
import requests

from dhis2_sandbox.app import create_app
from dhis2_sandbox.faults.control import FaultControl
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from sandbox.district import NATIONAL_ID, PERSON, TOKEN, Caller, caller, person


_IMPORT = "/api/tracker\\?"
_PEOPLE = "/api/tracker/trackedEntities"
_AWA, _BINTA = "AwaAwaAwa01", "BintaBinta1"


@pytest.fixture
def district(data: Path) -> Iterator[Caller]:
    app = create_app(data, district=True, superuser=Superuser(token=TOKEN), faults=True)
    with serve(app) as base_url:
        yield caller(base_url)


@pytest.fixture
def faults(district: Caller) -> FaultControl:
    return FaultControl(district.base_url)


def _stored(district: Caller, *uids: str) -> set[str]:
    found = district.get(_PEOPLE, trackedEntities=",".join(uids), fields="trackedEntity")
    return {entity["trackedEntity"] for entity in found["trackedEntities"]}


def _info(district: Caller, **terms: Any) -> requests.Response:
    return district.session.get(f"{district.base_url}/api/system/info", timeout=30, **terms)


def test_without_being_asked_for_there_is_no_control(data: Path) -> None:
    rule = {"fault": {"kind": "status"}, "times": None}
    with serve(create_app(data, superuser=Superuser(token=TOKEN))) as url:
        admin = caller(url)

        order = admin.session.post(f"{url}/sandbox/faults", json=[rule], timeout=30)
        answer = _info(admin)

    assert order.status_code == 404
    assert answer.ok


def test_a_rule_that_makes_no_sense_is_refused(faults: FaultControl) -> None:
    with pytest.raises(HTTPError) as refusal:
        faults.order("no such fault")

    assert refusal.value.code == 400
    assert faults.told() == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_comes_after_so_many_requests_and_so_many_times(
    status: int, district: Caller, faults: FaultControl
) -> None:
    faults.order("status", path="system/info", status=status, retry_after=7, after=1, times=2)

    answers = [_info(district) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, status, status, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert [(rule["seen"], rule["met"]) for rule in faults.told()] == [(4, 2)]


def test_the_same_seed_strikes_the_same_requests(district: Caller, faults: FaultControl) -> None:
    struck = []
    for _ in range(2):
        faults.clear()
        faults.order("status", path="system/info", times=None, chance=0.5, seed=11)
        struck.append([_info(district).status_code for _ in range(12)])

    assert struck[0] == struck[1]
    assert set(struck[0]) == {200, 503}


@pytest.mark.parametrize("done", [False, True])
def test_a_reset_loses_the_answer_before_or_after_the_work(
    done: bool,  # noqa: FBT001 - a parameter of the test
    district: Caller,
    faults: FaultControl,
) -> None:
    faults.order("reset", method="POST", path=_IMPORT, done=done)

    with pytest.raises(requests.ConnectionError):
        district.post({"trackedEntities": [person(_AWA)]})

    assert _stored(district, _AWA) == ({_AWA} if done else set())


@pytest.mark.parametrize("done", [False, True])
def test_a_gateway_gives_up_before_or_after_the_work(
    done: bool,  # noqa: FBT001 - a parameter of the test
    district: Caller,
    faults: FaultControl,
) -> None:
    faults.order("status", method="POST", path=_IMPORT, status=504, done=done)

    answer = district.post({"trackedEntities": [person(_AWA)]})

    assert answer.status_code == 504
    assert _stored(district, _AWA) == ({_AWA} if done else set())


def test_an_answer_can_break_off(district: Caller, faults: FaultControl) -> None:
    faults.order("truncated", path="system/info")

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _info(district)

    assert _info(district).json()["version"]


def test_an_answer_can_be_a_page_or_have_another_shape(
    district: Caller, faults: FaultControl
) -> None:
    faults.order("html", path="system/info")
    page = _info(district)
    faults.order("wrong_shape", path="system/info", body=["neither", "this"])
    shape = _info(district)

    assert page.headers["Content-Type"].startswith("text/html")
    assert page.status_code == shape.status_code == 200
    assert shape.json() == ["neither", "this"]


def test_latency_is_waited_for(district: Caller, faults: FaultControl) -> None:
    faults.order("latency", path="system/info", seconds=0.4)
    began = monotonic()

    answer = _info(district)

    assert answer.ok
    assert monotonic() - began >= 0.4


def test_a_request_can_be_delivered_twice(district: Caller, faults: FaultControl) -> None:
    faults.order("twice", method="POST", path=_IMPORT)

    answer = district.post({"trackedEntities": [person(_AWA)]}, importStrategy="CREATE")

    reports = answer.json()["validationReport"]["errorReports"]
    assert [report["errorCode"] for report in reports] == ["E1002"]
    assert _stored(district, _AWA) == {_AWA}


def test_an_object_can_be_missing_from_the_report(district: Caller, faults: FaultControl) -> None:
    faults.order("left_out", method="POST", path=_IMPORT)

    report = district.post({"trackedEntities": [person(_AWA), person(_BINTA)]}).json()

    objects = report["bundleReport"]["typeReportMap"]["TRACKED_ENTITY"]["objectReports"]
    assert report["stats"]["created"] == 2
    assert len(objects) == 1
    assert _stored(district, _AWA, _BINTA) == {_AWA, _BINTA}


def test_a_late_commit_is_older_than_what_was_read_before_it(
    district: Caller, faults: FaultControl
) -> None:
    faults.order("late_commit", method="POST", path=_IMPORT, seconds=1)

    with ThreadPoolExecutor() as pool:
        late = pool.submit(district.post, {"trackedEntities": [person(_AWA)]})
        while not faults.told()[0]["met"]:
            pass
        district.post({"trackedEntities": [person(_BINTA)]})
        seen_before = _stored(district, _AWA)
        assert late.result().ok

    stamps = {
        uid: district.get(f"{_PEOPLE}/{uid}", fields="updatedAt")["updatedAt"]
        for uid in (_AWA, _BINTA)
    }
    assert seen_before == set()
    assert stamps[_AWA] < stamps[_BINTA]


def test_unprotected_requests_store_one_unique_value_twice(
    district: Caller, faults: FaultControl
) -> None:
    faults.order("unprotected", method="POST", path=_IMPORT, seconds=0.5, times=2)
    payloads = [
        {"trackedEntities": [person(uid, **{NATIONAL_ID: "twice"})]} for uid in (_AWA, _BINTA)
    ]

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(district.post, payloads))

    holders = district.get(_PEOPLE, trackedEntityType=PERSON, filter=f"{NATIONAL_ID}:EQ:twice")
    assert [answer.json()["stats"]["created"] for answer in answers] == [1, 1]
    assert len(holders["trackedEntities"]) == 2


def test_a_token_expires_and_a_server_becomes_read_only(
    district: Caller, faults: FaultControl
) -> None:
    faults.order("expired_token", path="system/info")
    expired = _info(district)
    faults.order("read_only", times=None)

    refused = district.post({"trackedEntities": [person(_AWA)]})
    read = _info(district)

    assert (expired.status_code, refused.status_code, read.status_code) == (401, 409, 200)
    assert _stored(district, _AWA) == set()
