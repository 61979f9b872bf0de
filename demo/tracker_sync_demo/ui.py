"""The same in Airflow's own UI: everything is left running until Ctrl-C."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tracker_sync_demo.scratch_airflow import DAG_ID, ScratchAirflow
from tracker_sync_demo.servers import DidNotStart


_SECONDS_TO_START = 120


@dataclass(frozen=True, slots=True)
class Ui:
    """A running `airflow standalone`.

    Attributes:
        url: Its address.
        user: Who may log in.
        password: With what.
    """

    url: str
    user: str
    password: str = field(repr=False)


@contextmanager
def standalone(airflow: ScratchAirflow) -> Iterator[Ui]:
    """Start Airflow's UI and scheduler on a free port of this machine, and stop them at the end.

    Raises:
        DidNotStart: The UI did not answer in two minutes.
    """
    ui = Ui(f"http://127.0.0.1:{_free_port()}", "admin", secrets.token_urlsafe(9))
    passwords = airflow.home / "passwords.json"
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps({ui.user: ui.password}))
    environment = airflow.environment() | {
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": ui.url.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": ui.url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{ui.url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ui.user}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
    }
    airflow.make_pools()
    with (
        airflow.log.open("a") as log,
        subprocess.Popen(  # Airflow, by the interpreter that runs us
            [sys.executable, "-P", "-m", "airflow", "standalone"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait(process, airflow, lambda: _answers(ui))
            # Not before: a task that starts earlier than the API it speaks to fails.
            _wait(process, airflow, lambda: _unpaused(ui))
            yield ui
        finally:
            _stop(process)


def show(ui: Ui, say: Callable[[str], None]) -> None:
    """Say where the UI is, and wait for Ctrl-C."""
    say(f"\nAirflow: {ui.url}/dags/{DAG_ID}\nuser:    {ui.user}\npassword: {ui.password}")
    say("Everything runs on this machine alone. Ctrl-C stops it all.")
    while True:
        time.sleep(3600)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait(
    process: subprocess.Popen[bytes], airflow: ScratchAirflow, is_so: Callable[[], bool]
) -> None:
    for _ in range(_SECONDS_TO_START):
        if process.poll() is not None:
            break
        if is_so():
            return
        time.sleep(1)
    raise DidNotStart(f"Airflow's UI did not start: see {airflow.log}")


def _answers(ui: Ui) -> bool:
    return _ask("GET", f"{ui.url}/api/v2/monitor/health") is not None


def _unpaused(ui: Ui) -> bool:
    token = _ask("POST", f"{ui.url}/auth/token", {"username": ui.user, "password": ui.password})
    if token is None:
        return False
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    dag = f"{ui.url}/api/v2/dags/{DAG_ID}"
    return _ask("PATCH", dag, {"is_paused": False}, bearer) is not None


def _ask(method: str, url: str, body: Any = None, headers: Any = None) -> Any:
    """Return the JSON our own Airflow answers; nothing while it gives none."""
    try:
        answer = requests.request(method, url, json=body, headers=headers, timeout=5)
    except requests.RequestException:
        return None
    return answer.json() if answer.ok else None


def _stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
