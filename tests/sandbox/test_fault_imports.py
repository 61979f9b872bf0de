"""Does an import go wrong in the way that was ordered?"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from dhis2_sandbox.faults.control import FaultControl
from sandbox.district import NATIONAL_ID, PERSON, Caller, person


_IMPORT = "/api/tracker\\?"
_PEOPLE = "/api/tracker/trackedEntities"
_AWA, _BINTA = "AwaAwaAwa01", "BintaBinta1"


def _stored(faulty: Caller, *uids: str) -> set[str]:
    found = faulty.get(_PEOPLE, trackedEntities=",".join(uids), fields="trackedEntity")
    return {entity["trackedEntity"] for entity in found["trackedEntities"]}


@pytest.mark.parametrize("done", [False, True])
def test_a_reset_loses_the_answer_before_or_after_the_work(
    done: bool,  # noqa: FBT001 - a parameter of the test
    faulty: Caller,
    faults: FaultControl,
) -> None:
    faults.order("reset", method="POST", path=_IMPORT, done=done)

    with pytest.raises(requests.ConnectionError):
        faulty.post({"trackedEntities": [person(_AWA)]})

    assert _stored(faulty, _AWA) == ({_AWA} if done else set())


@pytest.mark.parametrize("done", [False, True])
def test_a_gateway_gives_up_before_or_after_the_work(
    done: bool,  # noqa: FBT001 - a parameter of the test
    faulty: Caller,
    faults: FaultControl,
) -> None:
    faults.order("status", method="POST", path=_IMPORT, status=504, done=done)

    answer = faulty.post({"trackedEntities": [person(_AWA)]})

    assert answer.status_code == 504
    assert _stored(faulty, _AWA) == ({_AWA} if done else set())


def test_a_request_can_be_delivered_twice(faulty: Caller, faults: FaultControl) -> None:
    faults.order("twice", method="POST", path=_IMPORT)

    answer = faulty.post({"trackedEntities": [person(_AWA)]}, importStrategy="CREATE")

    reports = answer.json()["validationReport"]["errorReports"]
    assert [report["errorCode"] for report in reports] == ["E1002"]
    assert _stored(faulty, _AWA) == {_AWA}


def test_an_object_can_be_missing_from_the_report(faulty: Caller, faults: FaultControl) -> None:
    faults.order("left_out", method="POST", path=_IMPORT)

    report = faulty.post({"trackedEntities": [person(_AWA), person(_BINTA)]}).json()

    objects = report["bundleReport"]["typeReportMap"]["TRACKED_ENTITY"]["objectReports"]
    assert report["stats"]["created"] == 2
    assert len(objects) == 1
    assert _stored(faulty, _AWA, _BINTA) == {_AWA, _BINTA}


def test_a_late_commit_is_older_than_what_was_read_before_it(
    faulty: Caller, faults: FaultControl
) -> None:
    faults.order("late_commit", method="POST", path=_IMPORT, seconds=1)

    with ThreadPoolExecutor() as pool:
        late = pool.submit(faulty.post, {"trackedEntities": [person(_AWA)]})
        while not faults.told()[0]["met"]:
            pass
        time.sleep(0.2)  # the stamp is taken a moment after the rule was met
        faulty.post({"trackedEntities": [person(_BINTA)]})
        seen_before = _stored(faulty, _AWA)
        assert late.result().ok

    stamps = {
        uid: faulty.get(f"{_PEOPLE}/{uid}", fields="updatedAt")["updatedAt"]
        for uid in (_AWA, _BINTA)
    }
    assert seen_before == set()
    assert stamps[_AWA] < stamps[_BINTA]


def test_unprotected_requests_store_one_unique_value_twice(
    faulty: Caller, faults: FaultControl
) -> None:
    faults.order("unprotected", method="POST", path=_IMPORT, seconds=0.5, times=2)
    payloads = [
        {"trackedEntities": [person(uid, **{NATIONAL_ID: "twice"})]} for uid in (_AWA, _BINTA)
    ]

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(faulty.post, payloads))

    holders = faulty.get(_PEOPLE, trackedEntityType=PERSON, filter=f"{NATIONAL_ID}:EQ:twice")
    assert [answer.json()["stats"]["created"] for answer in answers] == [1, 1]
    assert len(holders["trackedEntities"]) == 2
