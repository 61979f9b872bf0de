"""Does the sandbox behave as a server: start, stop, remember, and let in?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

import dhis2_sandbox
from dhis2_sandbox.server import NotLoopback, listen
from sandbox.district import FACILITY, PERSON, Caller, caller, person


_INCLUDE = str(Path(dhis2_sandbox.__file__).parent.parent)
_TOKEN = "d2p_of_the_command"


@contextmanager
def _running(data: Path, *options: str, token: str | None = _TOKEN) -> Iterator[tuple[str, str]]:
    """Run the command; yield its URL and the first line that it said on stderr, if any."""
    environment = {**os.environ, "PYTHONPATH": _INCLUDE}
    if token is not None:
        environment["DHIS2_SANDBOX_TOKEN"] = token
    command = [sys.executable, "-m", "dhis2_sandbox", "--port", "0", "--data", str(data), *options]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = "" if token is not None else process.stderr.readline()
        url = process.stdout.readline().removeprefix("listening on ").strip()
        yield url, said
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - began < 2


def test_a_restart_keeps_what_was_stored(data: Path) -> None:
    with _running(data, "--district") as (url, _):
        assert caller(url, _TOKEN).post({"trackedEntities": [person("RestartRe01")]}).ok

    with _running(data) as (url, _):
        stored = caller(url, _TOKEN).get("/api/tracker/trackedEntities/RestartRe01")

    assert stored["orgUnit"] == FACILITY


def test_a_new_server_says_the_token_that_it_made_up(data: Path) -> None:
    with _running(data, token=None) as (url, said):
        token = said.split()[-1]

        me = caller(url, token).get("/api/me", fields="username")

    assert me == {"username": "admin"}


def test_only_the_own_machine_is_served() -> None:
    with pytest.raises(NotLoopback, match="loopback"):
        listen("0.0.0.0", 0)  # noqa: S104 - what must be refused


def test_a_damaged_token_is_a_bad_request(district: Caller) -> None:
    damaged = {"Authorization": "ApiToken d2p_damaged"}

    answer = requests.get(f"{district.base_url}/api/me", headers=damaged, timeout=30)

    assert answer.status_code == 400


def test_a_session_keeps_the_rights_it_started_with(district: Caller) -> None:
    session = requests.Session()
    session.auth = ("admin", "district-1234!")
    old = Caller(district.base_url, session)
    admin = old.get("/api/me", fields="id")["id"]
    assert session.cookies.get("JSESSIONID")

    step = {"op": "add", "path": "/organisationUnits", "value": []}
    users = f"{district.base_url}/api/users/{admin}"
    assert district.session.patch(users, json=[step], timeout=30).ok

    by_session = old.post({"trackedEntities": [person("SessionSe01")]})
    by_token = district.post({"trackedEntities": [person("SessionSe02")]})
    assert by_session.json()["stats"]["created"] == 1
    assert by_token.json()["validationReport"]["errorReports"][0]["errorCode"] == "E1000"


def test_metadata_with_a_missing_reference_changes_nothing(district: Caller) -> None:
    attribute = {"trackedEntityAttribute": {"id": "Nowhere0001"}}
    changed: dict[str, Any] = {"id": PERSON, "name": "Autre", "shortName": "Autre"}
    changed["trackedEntityTypeAttributes"] = [attribute]

    answer = district.session.post(
        f"{district.base_url}/api/metadata", json={"trackedEntityTypes": [changed]}, timeout=30
    )

    stored = district.get(f"/api/trackedEntityTypes/{PERSON}", fields="name")
    report = answer.json()["response"]["typeReports"][0]["objectReports"][0]
    assert (answer.status_code, answer.json()["status"]) == (409, "WARNING")
    assert {error["errorCode"] for error in report["errorReports"]} == {"E5001", "E5002"}
    assert stored == {"name": "Personne"}


def test_the_export_of_a_program_lacks_what_only_its_type_uses(
    district: Caller, data: Path
) -> None:
    export = district.get("/api/programs/m8nERzkN6j4/metadata")
    units = district.get("/api/organisationUnits", fields=":owner", paging="false")
    assert len(units["organisationUnits"]) == 40

    with _running(data.with_name("empty.sqlite")) as (url, _):
        empty = caller(url, _TOKEN)
        first = empty.session.post(f"{url}/api/metadata", json=units, timeout=30)
        second = empty.session.post(f"{url}/api/metadata", json=export, timeout=30)

    reports = [
        (item["uid"], error["errorCode"])
        for kind in second.json()["response"]["typeReports"]
        for item in kind["objectReports"]
        for error in item["errorReports"]
    ]
    assert first.status_code == 200
    assert set(reports) == {(PERSON, "E5001"), (PERSON, "E5002")}
