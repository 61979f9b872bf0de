"""Do notes come by themselves, and does a file belong to one value?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dhis2_sandbox.app import create_app
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from dhis2_sandbox.versions import DIALECTS
from sandbox.district import HIV, TOKEN, Caller, caller, codes, person


ENROLLMENT, EVENT, AWA = "dwHeBezZZ6t", "f7sedmUE3eD", "AwaAwaAwa01"
PHOTO, REPORT = "EOcItquZkCq", "g61vVO04sV8"
FILE, NOTE = "fileFile001", "noteNote001"
NEW = ["2.42.4", "2.43.1"]


@pytest.fixture(params=sorted(DIALECTS))
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Caller]:
    app = create_app(
        tmp_path / "server.sqlite",
        district=True,
        superuser=Superuser(token=TOKEN),
        version=request.param,
    )
    with serve(app) as url:
        yield caller(url)


def add(server: Caller, kind: str, uid: str, **note: Any) -> requests.Response:
    url = f"{server.base_url}/api/tracker/{kind}/{uid}/note"
    return server.session.post(url, json=note, timeout=30)


def upload(server: Caller, uid: str) -> None:
    files = {"file": ("photo.png", b"bytes", "image/png")}
    params = {"uid": uid, "domain": "DATA_VALUE"}
    url = f"{server.base_url}/api/fileResources"
    assert server.session.post(url, params=params, files=files, timeout=30).status_code == 202


def notes_of(server: Caller, kind: str, uid: str) -> dict[str, str]:
    found = server.get(f"/api/tracker/{kind}/{uid}", fields="notes[note,value]")["notes"]
    return {note["note"]: note["value"] for note in found}


def event(server: Caller) -> dict[str, Any]:
    fields = "event,enrollment,program,programStage,orgUnit,status,occurredAt,dataValues"
    found: dict[str, Any] = server.get(f"/api/tracker/events/{EVENT}", fields=fields)
    return found


@pytest.mark.parametrize("server", NEW, indirect=True)
@pytest.mark.parametrize(("kind", "uid"), [("enrollments", ENROLLMENT), ("events", EVENT)])
def test_a_note_comes_by_itself_and_moves_no_stamp(server: Caller, kind: str, uid: str) -> None:
    before = server.get(f"/api/tracker/{kind}/{uid}", fields="updatedAt,status")

    answer = add(server, kind, uid, note=NOTE, value="seen at home")

    assert (answer.status_code, answer.json()["note"]) == (200, NOTE)
    assert notes_of(server, kind, uid)[NOTE] == "seen at home"
    assert server.get(f"/api/tracker/{kind}/{uid}", fields="updatedAt,status") == before


@pytest.mark.parametrize("server", NEW, indirect=True)
def test_a_note_is_refused_twice_empty_or_for_nobody(server: Caller) -> None:
    assert add(server, "events", EVENT, note=NOTE, value="once").status_code == 200

    again = add(server, "events", EVENT, note=NOTE, value="twice")
    empty = add(server, "events", EVENT, note="noteNote002", value="")
    nobody = add(server, "events", "nobodyNo001", note="noteNote003", value="text")

    assert [one.status_code for one in (again, empty, nobody)] == [400, 400, 404]
    assert notes_of(server, "events", EVENT)[NOTE] == "once"


@pytest.mark.parametrize("server", ["2.40.9", "2.41.8"], indirect=True)
def test_older_versions_know_no_such_address(server: Caller) -> None:
    assert add(server, "events", EVENT, note=NOTE, value="text").status_code == 404
    assert NOTE not in notes_of(server, "events", EVENT)


def test_a_file_is_one_persons_and_an_enrollment_that_names_it_again_is_refused(
    server: Caller,
) -> None:
    upload(server, FILE)
    assert codes(server.post({"trackedEntities": [person(AWA, **{PHOTO: FILE})]})) == set()

    same = server.post({"trackedEntities": [person(AWA, **{PHOTO: FILE})]})
    other = server.post({"trackedEntities": [person("BintaBinta1", **{PHOTO: FILE})]})
    enrolled = {
        "enrollment": "EnrolEnro01",
        "trackedEntity": AWA,
        "program": HIV,
        "orgUnit": person(AWA)["orgUnit"],
        "enrolledAt": "2026-03-25",
        "attributes": [{"attribute": PHOTO, "value": FILE}],
    }
    below = server.post({"enrollments": [enrolled]})

    assert codes(same) == set()
    assert codes(other) == {("BintaBinta1", "E1009")}
    assert ("EnrolEnro01", "E1009") in codes(below)


def test_a_file_is_one_events(server: Caller) -> None:
    upload(server, FILE)
    first = event(server)
    named = first | {"dataValues": [{"dataElement": REPORT, "value": FILE}]}

    assert codes(server.post({"events": [named]})) == set()
    assert codes(server.post({"events": [named]})) == set()
    assert codes(server.post({"events": [named | {"event": "EventEvent1"}]})) == {
        ("EventEvent1", "E1009")
    }


@pytest.mark.parametrize("server", ["2.40.9"], indirect=True)
def test_2_40_gives_a_persons_image_by_another_address_than_a_file(server: Caller) -> None:
    upload(server, FILE)
    server.post({"trackedEntities": [person(AWA, **{PHOTO: FILE})]}).raise_for_status()
    address = f"{server.base_url}/api/trackedEntityInstances/{AWA}/{PHOTO}"

    image = server.session.get(f"{address}/image", timeout=30)
    file = server.session.get(f"{address}/file", timeout=30)

    assert (image.status_code, image.content) == (200, b"bytes")
    assert file.status_code == 409
