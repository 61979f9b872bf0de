"""The demo tells the truth, keeps patients out of its logs, and leaves nothing running."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from project import PROJECT


DISTRICT = PROJECT / "include" / "dhis2_sandbox" / "district" / "tracker.json"
FIRST_NAME, LAST_NAME = "igrbHRNTbIn", "XlaUz6AYQa9"
NATIONAL_ID, PHONE = "kd7nkrMgEfm", "UuGeFXDfuFj"
RETIRED_CODE = "D4T_3TC_NVP"  # the destination's refusal quotes it
# One worker tells the story for all of them: it takes a minute.
pytestmark = pytest.mark.xdist_group("demo")
COMMAND = [sys.executable, "-P", "-m", "tracker_sync_demo", "--folder"]


@dataclass(frozen=True)
class Told:
    code: int
    output: str
    folder: Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("demo") / "files"
    done = subprocess.run(
        [*COMMAND, str(folder)], env=environment(), capture_output=True, text=True, check=False
    )
    return Told(done.returncode, done.stdout + done.stderr, folder)


def test_it_copies_a_district_three_times_and_both_servers_are_equal(told: Told) -> None:
    assert told.code == 0, told.output[-2000:]
    assert "equal, 1 refused as expected" in told.output
    assert re.search(
        r"^\d+ enrollments, \d+ events, 1 files, \d+ notes, \d+ owners, \d+ persons, "
        r"\d+ relationships$",
        told.output,
        re.MULTILINE,
    )
    assert "0 objects sent" in told.output
    assert (
        len(
            re.findall(
                r"^  \d+ people and events to read, in \d+ slices", told.output, re.MULTILINE
            )
        )
        == 3
    )
    assert re.findall(r"the run is (\w+)", told.output) == ["green", "red", "green"]


def test_its_servers_are_gone_afterwards(told: Told) -> None:
    assert len(addresses(told.output)) == 2
    assert not any(listens(address) for address in addresses(told.output))


def test_the_pandas_lines_it_prints_work(told: Told) -> None:
    lines = re.findall(
        r"^  (import pandas.*|events = .*|print\(events.*)$", told.output, re.MULTILINE
    )
    assert len(lines) == 3

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "COMPLETED" in done.stdout


def test_no_patient_is_in_any_log_or_xcom(told: Told) -> None:
    secrets = [*patients_values(), RETIRED_CODE]
    assert len(secrets) > 400
    texts = {path: path.read_bytes().decode(errors="replace") for path in logs_and_database(told)}
    assert any(path.suffix == ".db" for path in texts)
    assert any("import_report" in text for path, text in texts.items() if path.suffix == ".db")
    assert sum("E1125" in text for text in texts.values()) >= 2

    found = {
        (path.name, form)
        for path, text in [*texts.items(), (Path("terminal"), told.output)]
        for secret in secrets
        for form in forms(secret)
        if form in text
    }

    assert found == set()


def test_no_patient_is_in_a_file_name(told: Told) -> None:
    names = "\n".join(str(path.relative_to(told.folder)) for path in told.folder.rglob("*"))

    assert "ledger.parquet" in names
    assert not [secret for secret in patients_values() if secret in names]


def test_what_is_staged_is_for_its_owner_alone(told: Told) -> None:
    staged = [*(told.folder / "staging").rglob("*")]

    assert staged
    assert {oct(path.stat().st_mode & 0o077) for path in staged} == {"0o0"}


def test_ctrl_c_stops_everything(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, str(tmp_path / "files")],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        heard = "".join(until(demo, "First run"))
        running = [listens(address) for address in addresses(heard)]
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=30)

    assert running == [True, True]
    assert demo.returncode == 130
    assert "stopped; the servers are gone" in rest
    assert not any(listens(address) for address in addresses(heard))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{PROJECT / 'include'}:{PROJECT / 'demo'}"}


def until(demo: subprocess.Popen[str], mark: str) -> Iterator[str]:
    assert demo.stdout is not None
    for line in demo.stdout:
        yield line
        if mark in line:
            return


def addresses(output: str) -> list[tuple[str, int]]:
    urls = re.findall(r"^(?:source|destination): +(http://\S+)$", output, re.MULTILINE)
    return [(str(urlsplit(url).hostname), int(urlsplit(url).port or 0)) for url in urls]


def listens(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False


def patients_values() -> list[str]:
    """Every full name, national id and phone number of the district."""
    tracker: dict[str, Any] = json.loads(DISTRICT.read_bytes())
    values: set[str] = set()
    for holder in [*tracker["trackedEntities"], *tracker["enrollments"]]:
        held = {item["attribute"]: item["value"] for item in holder["attributes"]}
        values |= {held[uid] for uid in (NATIONAL_ID, PHONE) if uid in held}
        if {FIRST_NAME, LAST_NAME} <= held.keys():
            first, last = held[FIRST_NAME], held[LAST_NAME]
            values |= {f"{first} {last}", f"{last} {first}", f"{last}, {first}"}
    return sorted(values)


def forms(secret: str) -> set[str]:
    """A value as it is, and as JSON escapes it, once and twice."""
    once = json.dumps(secret)[1:-1]
    return {secret, once, json.dumps(once)[1:-1]}


def logs_and_database(told: Told) -> list[Path]:
    """Everything but the servers' own data and the staged Parquet, where patients belong."""
    return [
        path
        for path in told.folder.rglob("*")
        if path.is_file() and path.suffix not in {".parquet", ".sqlite", ".cfg"}
        if not path.name.startswith(("source.sqlite", "destination.sqlite"))
    ]
