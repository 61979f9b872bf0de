"""A connection becomes a client, and its test button says what a person must know."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dhis2_airflow.hook import Dhis2Hook
from dhis2_api.errors import PermanentError
from project import PROJECT
from scripted_server import as_json, scripted
from servers import running


def connect(monkeypatch: pytest.MonkeyPatch, **connection: Any) -> Dhis2Hook:
    monkeypatch.setenv("AIRFLOW_CONN_NORTH", json.dumps({"conn_type": "dhis2", **connection}))
    return Dhis2Hook("north")


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        ({"host": "https://dhis2.example.org/north/"}, "https://dhis2.example.org/north"),
        ({"host": "dhis2.example.org"}, "https://dhis2.example.org"),
        ({"host": "127.0.0.1", "schema": "http", "port": 8080}, "http://127.0.0.1:8080"),
        (
            {"host": "https://dhis2.example.org/north", "port": 8443},
            "https://dhis2.example.org:8443/north",
        ),
        (
            {"host": "https://dhis2.example.org:8443", "port": 8443},
            "https://dhis2.example.org:8443",
        ),
        ({"host": "http://[::1]", "port": 8080}, "http://[::1]:8080"),
    ],
)
def test_a_connection_however_filled_in_becomes_an_address(
    connection: dict[str, Any], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connect(monkeypatch, **connection).client().url == address


def test_a_connection_without_tls_is_refused_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hook = connect(monkeypatch, host="http://dhis2.example.org")

    with pytest.raises(PermanentError, match="https"):
        hook.client()
    assert hook.test_connection()[0] is False


@pytest.mark.parametrize(
    "host", ["awa:secret@dhis2\u2100.example.org", "https://awa:secret@[dhis2.example.org"]
)
def test_an_address_nobody_can_read_is_refused_without_showing_it(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = connect(monkeypatch, host=host)

    with pytest.raises(PermanentError, match="cannot be read as a URL") as error:
        hook.client()
    good, text = hook.test_connection()

    assert error.value.__suppress_context__
    assert error.value.__cause__ is None
    assert not good
    assert "secret" not in text


def test_the_test_button_says_version_account_rights_and_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, "north", district=True) as server:
        token = {"token": f"d2p_{'north':x<32}"}
        good, text = connect(monkeypatch, host=server.url, extra=token).test_connection()

    assert good, text
    for part in ("DHIS2 2.42.4", "superuser", "captures in 1 and searches in 1", "zone UTC"):
        assert part in text


def test_the_test_button_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(lambda _: as_json({"message": "canary"}, 401)) as server:
        secret = {"token": "d2p_secret"}
        good, text = connect(monkeypatch, host=server.url, extra=secret).test_connection()

    assert not good
    assert "renew it in Airflow under Admin, Connections" in text
    assert "canary" not in text
    assert "secret" not in text


@pytest.mark.parametrize("seconds", [0, "0"])
def test_a_server_that_is_away_is_asked_again_as_long_as_its_connection_says(
    seconds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(lambda _: as_json({"message": "busy"}, 503)) as server:
        extra = {"token": "d2p_x", "patience": seconds}
        good, text = connect(monkeypatch, host=server.url, extra=extra).test_connection()

    assert not good
    assert "503" in text
    assert len(server.requests) == 1


@pytest.mark.parametrize("seconds", ["long", -1, "nan", "inf", [5]])
def test_a_patience_that_is_no_number_of_seconds_is_refused_with_its_remedy(
    seconds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = connect(monkeypatch, host="https://dhis2.example.org", extra={"patience": seconds})

    with pytest.raises(PermanentError, match="`patience` of the connection `north` is no number"):
        hook.client()


def test_airflow_knows_the_connection_type_and_its_form(tmp_path: Path) -> None:
    """The form is plain data, found by the entry point beside it (airflow 5)."""
    script = (
        "import json\n"
        "from airflow.providers_manager import ProvidersManager\n"
        "manager = ProvidersManager()\n"
        "hook = manager.hooks['dhis2']\n"
        "fields = sorted(k for k in manager.connection_form_widgets if '__dhis2__' in k)\n"
        "relabelled = manager.field_behaviours['dhis2']['relabeling']\n"
        "print(json.dumps([hook.hook_class_name, hook.hook_name, fields, relabelled]))\n"
    )
    there = {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT / "include")}

    done = subprocess.run(
        [sys.executable, "-P", "-c", "import airflow.settings\n" + script],
        env=os.environ | there,
        capture_output=True,
        text=True,
        check=True,
    )

    hook, name, fields, relabelled = json.loads(done.stdout.splitlines()[-1])
    assert (hook, name) == ("dhis2_airflow.hook.Dhis2Hook", "DHIS2")
    assert fields == [f"extra__dhis2__{name}" for name in ("ca_file", "patience", "token")]
    assert relabelled["host"] == "Address"
