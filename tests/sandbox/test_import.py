"""Does an import store what it should, and only that?"""

import json
from pathlib import Path

import dhis2_sandbox
from sandbox.district import (
    BIRTH_DATE,
    EVERYWHERE,
    FACILITY,
    FIRST_NAME,
    FOLLOW_UP,
    HIV,
    LAST_NAME,
    NATIONAL_ID,
    PERSON,
    SEX,
    Caller,
    codes,
    person,
    values_of,
)


_AWA, _BINTA, _COUMBA = "AwaAwaAwa01", "BintaBinta1", "CoumbaCou01"
_ENROLLMENT, _EVENT = "EnrolEnro01", "EventEvent1"


def test_the_district_loads_whole(district: Caller) -> None:
    path = Path(dhis2_sandbox.__file__).parent / "district" / "tracker.json"
    sent = json.loads(path.read_text(encoding="utf-8"))
    assert len(sent["trackedEntities"]) == 186

    people = district.get(
        "/api/tracker/trackedEntities",
        trackedEntityType=PERSON,
        paging="false",
        fields="trackedEntity,enrollments[enrollment,events[event]],relationships[relationship]",
        **EVERYWHERE,
    )["trackedEntities"]
    singles = district.get(
        "/api/tracker/events",
        program="fAw4hObwxfo",
        orgUnit="GwTj6qZdrlX",
        orgUnitMode="DESCENDANTS",
        paging="false",
        fields="event",
    )["events"]

    enrollments = [one for entity in people for one in entity["enrollments"]]
    events = [event["event"] for one in enrollments for event in one["events"]]
    links = {link["relationship"] for entity in people for link in entity["relationships"]}
    assert {entity["trackedEntity"] for entity in people} == {
        entity["trackedEntity"] for entity in sent["trackedEntities"]
    }
    assert len(enrollments) == len(sent["enrollments"]) == 198
    assert {*events, *(event["event"] for event in singles)} == {
        event["event"] for event in sent["events"]
    }
    assert links == {link["relationship"] for link in sent["relationships"]}


def test_the_district_is_of_yesterday(district: Caller) -> None:
    now = district.get("/api/system/info")["serverDate"]

    changed_today = district.get(
        "/api/tracker/trackedEntities",
        program=HIV,
        updatedAfter=now[:10] + "T00:00:00.000",
        fields="trackedEntity",
        **EVERYWHERE,
    )

    assert changed_today["trackedEntities"] == []


def test_null_clears_a_value_and_omission_keeps_it(district: Caller) -> None:
    whole = {FIRST_NAME: "Awa", LAST_NAME: "Diop", SEX: "F"}
    assert district.post({"trackedEntities": [person(_AWA, **whole)]}).json()["status"] == "OK"

    district.post({"trackedEntities": [person(_AWA, **{SEX: None, LAST_NAME: "Ba"})]})

    stored = district.get(f"/api/tracker/trackedEntities/{_AWA}")
    assert values_of(stored) == {FIRST_NAME: "Awa", LAST_NAME: "Ba"}


def test_a_refused_record_never_blocks_its_neighbours(district: Caller) -> None:
    payload = {
        "trackedEntities": [
            person(_AWA, **{BIRTH_DATE: "1990-01-31"}),
            person(_BINTA, **{BIRTH_DATE: "31/01/1990"}),
            person(_COUMBA, **{SEX: "F"}),
        ]
    }

    response = district.post(payload)

    uids = f"{_AWA},{_BINTA},{_COUMBA}"
    stored = district.get("/api/tracker/trackedEntities", trackedEntities=uids)["trackedEntities"]
    assert response.status_code == 200
    assert codes(response) == {(_BINTA, "E1007"), (_BINTA, "E1085")}
    assert {entity["trackedEntity"] for entity in stored} == {_AWA, _COUMBA}


def test_a_refused_record_blocks_everything_when_all_is_asked_for(district: Caller) -> None:
    payload = {"trackedEntities": [person(_AWA), person(_BINTA, **{SEX: "X"})]}

    response = district.post(payload, atomicMode="ALL")

    stored = district.get("/api/tracker/trackedEntities", trackedEntities=f"{_AWA},{_BINTA}")
    assert response.status_code == 409
    assert response.json()["stats"]["ignored"] == 2
    assert stored["trackedEntities"] == []


def test_the_grandchild_of_a_refused_person_is_lost_without_a_word(district: Caller) -> None:
    child = {
        "event": _EVENT,
        "program": HIV,
        "programStage": FOLLOW_UP,
        "orgUnit": FACILITY,
        "occurredAt": "2026-01-06",
    }
    enrollment = {
        "enrollment": _ENROLLMENT,
        "program": HIV,
        "orgUnit": FACILITY,
        "enrolledAt": "2026-01-05",
        "occurredAt": "2026-01-05",
        "attributes": [{"attribute": NATIONAL_ID, "value": "grandchild"}],
        "events": [child],
    }
    lost = person(_AWA) | {"orgUnit": "Nowhere0001", "enrollments": [enrollment]}

    response = district.post({"trackedEntities": [lost]})

    assert codes(response) == {(_AWA, "E1049"), (_ENROLLMENT, "E5000")}
    assert response.json()["stats"]["ignored"] == 3
    assert (
        district.session.get(f"{district.base_url}/api/tracker/events/{_EVENT}").status_code == 404
    )


def test_an_import_beside_the_request_reports_in_the_end(district: Caller) -> None:
    answer = district.post({"trackedEntities": [person(_AWA)]}, **{"async": "true"}).json()
    job = f"/api/tracker/jobs/{answer['response']['id']}"

    for _ in range(200):
        if district.get(job)[0]["completed"]:
            break

    assert district.get(f"{job}/report")["stats"]["created"] == 1
    assert district.get(f"/api/tracker/trackedEntities/{_AWA}")["trackedEntity"] == _AWA
