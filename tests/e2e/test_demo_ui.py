"""The demo's UI is a real Airflow: its scheduler runs the route, and Ctrl-C ends it all."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from e2e.test_demo import COMMAND, addresses, environment, listens, until


PATIENCE = 400


@pytest.mark.timeout(600)
def test_a_scheduler_runs_the_route_and_everything_goes_away(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, str(tmp_path / "files"), "--ui"],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        try:
            heard = "".join(until(demo, "Ctrl-C stops it all"))
            url, password = told(heard)
            run = finished_run(url, token(url, password))
            labels = {task["rendered_map_index"] for task in tasks(url, token(url, password), run)}
        finally:
            demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)

    assert (run["run_type"], run["state"]) == ("scheduled", "success")
    assert {"Dakar", "Thiès", "Saint-Louis"} <= labels
    assert demo.returncode == 130
    port = int(url.rpartition(":")[2])
    assert not any(listens(address) for address in [*addresses(heard), ("127.0.0.1", port)])


def told(output: str) -> tuple[str, str]:
    url = re.search(
        r"^Airflow: (http://127\.0\.0\.1:\d+)/dags/tracker_sync__demo$", output, re.MULTILINE
    )
    password = re.search(r"^password: (\S+)$", output, re.MULTILINE)
    assert url
    assert password
    return url.group(1), password.group(1)


def token(url: str, password: str) -> str:
    who = {"username": "admin", "password": password}
    answer = requests.post(f"{url}/auth/token", json=who, timeout=PATIENCE)
    return str(answer.json()["access_token"])


def finished_run(url: str, bearer: str) -> dict[str, Any]:
    runs: list[dict[str, Any]] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        runs = ask(f"{url}/api/v2/dags/tracker_sync__demo/dagRuns", bearer)["dag_runs"]
        if runs and runs[0]["state"] in {"success", "failed"}:
            return runs[0]
        time.sleep(2)
    raise AssertionError(f"no run ended in {PATIENCE} s: {[run['state'] for run in runs]}")


def tasks(url: str, bearer: str, run: dict[str, Any]) -> list[dict[str, Any]]:
    where = f"{url}/api/v2/dags/tracker_sync__demo/dagRuns/{run['dag_run_id']}/taskInstances"
    found: list[dict[str, Any]] = ask(where, bearer)["task_instances"]
    assert found
    return found


def ask(url: str, bearer: str) -> Any:
    """Ask an API that a busy machine may keep waiting."""
    answer = requests.get(url, headers={"Authorization": f"Bearer {bearer}"}, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()
