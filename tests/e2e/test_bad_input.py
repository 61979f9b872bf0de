"""Whatever is wrong at the start: one line with cause and remedy, red, and nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from dhis2_airflow.settings import RUN_SETTINGS
from e2e.sync import ROUTE, Sync, states
from project import PROJECT
from scripted_server import Reply, as_json, scripted
from tracker_sync.runs.after_slices import PHASES


HTML = Reply(200, b"<!doctype html><html>Login</html>", "text/html")
LOGIN = Reply(302, b"", headers={"Location": "http://127.0.0.1:9/login"})
INFO = {"version": "2.39.1", "serverDate": "2026-11-24T12:00:00.000", "serverTimeZoneId": "UTC"}


@pytest.fixture(autouse=True)
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A night is patient with a server that is away; a test isn't."""
    monkeypatch.setitem(RUN_SETTINGS["default_args"], "retries", 0)


def test_a_wrong_token_is_named(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connect(monkeypatch, "FROM", sync.source.url, token="d2p_" + "w" * 32)

    fails_at_once(sync, caplog, "from: GET /api/system/info answered 40")


def test_a_wrong_password_is_named(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connect(monkeypatch, "TO", sync.destination.url, login="admin", password="hunter22")

    line = fails_at_once(sync, caplog, "to: GET /api/system/info answered 401")

    assert "renew it in Airflow under Admin, Connections" in line
    assert "hunter22" not in line


def test_a_connection_that_does_not_exist_is_named(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_FROM")

    line = fails_at_once(sync, caplog, "the connection `from` does not exist")

    assert "create it" in line


def test_a_server_that_is_away_is_named(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted(lambda _: as_json({})) as gone:
        connect(monkeypatch, "FROM", gone.url, token="d2p_x", patience=1)

    line = fails_at_once(sync, caplog, "from: GET /api/system/info got no answer")

    assert "check that the server is up" in line


@pytest.mark.parametrize(
    ("reply", "cause", "remedy"),
    [
        (HTML, "answered 200 with text/html instead of JSON", "is the address"),
        (LOGIN, "answered 302, a redirect", "put the final address into the connection"),
        (as_json(INFO), "DHIS2 2.39.1 is not supported", "use such a server"),
        (as_json({"version": "2.42.4"}), "not what DHIS2 answers", "serverDate"),
    ],
    ids=["a web page", "a redirect", "an unknown version", "something else"],
)
def test_a_server_that_is_no_such_dhis2_is_named(
    reply: Reply,
    cause: str,
    remedy: str,
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def script(request: Any) -> Reply:
        me = {"id": "M5zQapPyTZI", "authorities": ["ALL"], "organisationUnits": []}
        me["teiSearchOrganisationUnits"] = []
        return as_json(me) if reply.body == as_json(INFO).body and "me" in request.path else reply

    with scripted(script) as stranger:
        connect(monkeypatch, "FROM", stranger.url, token="d2p_x")

        line = fails_at_once(sync, caplog, cause)

    assert remedy in line


def test_a_route_to_itself_is_named(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connect(monkeypatch, "FROM", sync.destination.url, token=f"d2p_{'to':x<32}")

    fails_at_once(sync, caplog, "route_to_itself")


def test_a_route_file_with_a_typo_becomes_a_dag_that_says_so(
    sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    sync.write_route(ROUTE + "schedul: daily\n")

    run = sync.run()

    assert states(run) == {"read_the_route": "failed"}
    line = last_word(caplog)
    assert f"{sync.name}.yaml, line 11: `schedul`: no such key; correct or remove it" in line


def test_the_command_line_says_no_with_its_exit_code(sync: Sync) -> None:
    sync.write_route(ROUTE + "schedul: daily\n")

    done = subprocess.run(
        [sys.executable, "-P", "-m", "airflow", "dags", "test", sync.dag_id],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "include")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "no such key; correct or remove it" in done.stdout + done.stderr


def connect(monkeypatch: pytest.MonkeyPatch, name: str, url: str, **who: Any) -> None:
    extra = {key: who.pop(key) for key in ("token", "patience") if key in who}
    connection = {"conn_type": "http", "host": url, "extra": extra, **who}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))


def test_metadata_that_the_destination_cannot_take_stops_the_run_before_any_data(
    sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    fields = ("name", "shortName", "code", "valueType", "aggregationType", "domainType")
    answer = sync.source.get("/api/dataElements", {"fields": ",".join(fields), "pageSize": "1"})
    (element,) = answer["dataElements"]
    sync.destination.post("/api/metadata", {"dataElements": [element | {"id": "LocalElem01"}]})

    run = sync.run()

    found = states(run)
    assert run.state == "failed"
    assert found["preflight"] == "success"
    assert found["sync_metadata"] == "failed"
    assert found["readiness"] == found["plan_slices"] == "upstream_failed"
    assert "metadata_clashes" in last_word(caplog)
    assert sync.destination.get("/api/programs")["programs"] == []
    (path,) = sync.staging.glob(f"{sync.name}/runs/*/metadata.json")
    told = json.loads(path.read_bytes())
    assert {"clashing", "new"} == {row["kind"] for row in told["objects"]}
    assert "metadata_clashes" in [finding["code"] for finding in told["findings"]]


def fails_at_once(sync: Sync, caplog: pytest.LogCaptureFixture, cause: str) -> str:
    run = sync.run()

    assert run.state == "failed"
    found = states(run)
    assert found.pop("preflight") == "failed"
    assert found.pop("settle") == "failed"
    assert {found.pop(phase) for phase in PHASES} == {"skipped"}
    assert set(found.values()) == {"upstream_failed"}
    assert sync.destination.get("/api/organisationUnits")["organisationUnits"] == []
    line = last_word(caplog)
    assert cause in line
    return line


def last_word(caplog: pytest.LogCaptureFixture) -> str:
    """The line our own callback wrote for the task that failed first."""
    lines = [r.getMessage() for r in caplog.records if r.name == "dhis2_airflow.failures"]
    assert lines
    return lines[0]
