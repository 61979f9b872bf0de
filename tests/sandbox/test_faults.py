"""Do faults come when they are ordered, and only then?"""

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
from sandbox.district import TOKEN, Caller, caller, person


_AWA = "AwaAwaAwa01"


def _info(faulty: Caller, **terms: Any) -> requests.Response:
    return faulty.session.get(f"{faulty.base_url}/api/system/info", timeout=30, **terms)


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
    status: int, faulty: Caller, faults: FaultControl
) -> None:
    faults.order("status", path="system/info", status=status, retry_after=7, after=1, times=2)

    answers = [_info(faulty) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, status, status, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert [(rule["seen"], rule["met"]) for rule in faults.told()] == [(4, 2)]


def test_the_same_seed_strikes_the_same_requests(faulty: Caller, faults: FaultControl) -> None:
    struck = []
    for _ in range(2):
        faults.clear()
        faults.order("status", path="system/info", times=None, chance=0.5, seed=11)
        struck.append([_info(faulty).status_code for _ in range(12)])

    assert struck[0] == struck[1]
    assert set(struck[0]) == {200, 503}


def test_an_answer_can_break_off(faulty: Caller, faults: FaultControl) -> None:
    faults.order("truncated", path="system/info")

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _info(faulty)

    assert _info(faulty).json()["version"]


def test_an_answer_can_be_a_page_or_have_another_shape(
    faulty: Caller, faults: FaultControl
) -> None:
    faults.order("html", path="system/info")
    page = _info(faulty)
    faults.order("wrong_shape", path="system/info", body=["neither", "this"])
    shape = _info(faulty)

    assert page.headers["Content-Type"].startswith("text/html")
    assert page.status_code == shape.status_code == 200
    assert shape.json() == ["neither", "this"]


def test_latency_is_waited_for(faulty: Caller, faults: FaultControl) -> None:
    faults.order("latency", path="system/info", seconds=0.4)
    began = monotonic()

    answer = _info(faulty)

    assert answer.ok
    assert monotonic() - began >= 0.4


def test_a_token_expires_and_a_server_becomes_read_only(
    faulty: Caller, faults: FaultControl
) -> None:
    faults.order("expired_token", path="system/info")
    expired = _info(faulty)
    faults.order("read_only", times=None)

    refused = faulty.post({"trackedEntities": [person(_AWA)]})
    read = _info(faulty)

    assert (expired.status_code, refused.status_code, read.status_code) == (401, 409, 200)
    found = faulty.get("/api/tracker/trackedEntities", trackedEntities=_AWA)
    assert found["trackedEntities"] == []
