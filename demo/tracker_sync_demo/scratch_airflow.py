"""The scratch Airflow: a home of its own, and the project's DAGs run in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tracker_sync_demo.servers import DidNotStart, SandboxServer


PROJECT = Path(__file__).parents[2]
DAG_ID = "tracker_sync__demo"

# What a person wants to see of a task log: a finished slice, and why something failed.
_PROGRESS = re.compile(r"(slice [^:]+: .* s|\d+ people and events to read, in \d+ slices)\b")


@dataclass(frozen=True, slots=True)
class ScratchAirflow:
    """An Airflow that knows nothing but this project.

    Attributes:
        home: Its AIRFLOW_HOME.
        staging: Where the runs stage.
        connections: Connection id -> server.
    """

    home: Path
    staging: Path
    connections: Mapping[str, SandboxServer] = field(repr=False)

    @property
    def log(self) -> Path:
        """The file that holds all that Airflow said."""
        return self.home / "airflow.log"

    def environment(self) -> dict[str, str]:
        """Return the environment its commands run in."""
        return {
            **_without_airflow(os.environ),
            # `airflow standalone` starts its components by name.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "8",  # SQLite breaks with more (airflow 2)
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PYTHONPATH": str(PROJECT / "include"),
            "TRACKER_SYNC_ROUTES": str(PROJECT / "include" / "routes"),
            "TRACKER_SYNC_STAGING": str(self.staging),
            **{f"AIRFLOW_CONN_{name.upper()}": _as_json(s) for name, s in self.connections.items()},
        }

    def migrate(self) -> None:
        """Make the metadata database.

        Raises:
            DidNotStart: Airflow said no.
        """
        if self._run(["db", "migrate"], lambda _: None) != 0:
            raise DidNotStart(f"`airflow db migrate` failed: see {self.log}")

    def make_pools(self) -> None:
        """Make the pools of the connections, without which a scheduler starts none of their tasks.

        Raises:
            DidNotStart: Airflow said no.
        """
        pools = self.home / "pools.json"
        each = {"slots": 4, "description": "tasks at a time"}
        pools.write_text(json.dumps(dict.fromkeys(self.connections, each)))
        if self._run(["pools", "import", str(pools)], lambda _: None) != 0:
            raise DidNotStart(f"`airflow pools import` failed: see {self.log}")

    def run_dag(self, show: Callable[[str], None]) -> bool:
        """Run the DAG once, showing its progress, and return whether the run was green."""
        return self._run(["dags", "test", DAG_ID], lambda line: _show(line, show)) == 0

    def reports(self) -> list[dict[str, object]]:
        """Return the reports of all runs, oldest first."""
        files = sorted(self.staging.glob("demo/runs/*/report.json"), key=os.path.getmtime)
        return [json.loads(file.read_bytes()) for file in files]

    def _run(self, arguments: list[str], each_line: Callable[[str], None]) -> int:
        command = [sys.executable, "-P", "-m", "airflow", *arguments]
        with (
            self.log.open("a", encoding="utf-8") as log,
            subprocess.Popen(  # noqa: S603  # Airflow, by the interpreter that runs us
                command,
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as process,
        ):
            try:
                for line in _lines(process):
                    log.write(line)
                    each_line(line)
            except KeyboardInterrupt:
                process.terminate()
                raise
        return process.returncode


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    return iter(process.stdout or ())


def _show(line: str, show: Callable[[str], None]) -> None:
    if found := _PROGRESS.search(line):
        show(found.group(1))


def _without_airflow(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out another Airflow's settings: they must not leak into the demo's."""
    return {key: value for key, value in environment.items() if not key.startswith("AIRFLOW_")}


def _as_json(server: SandboxServer) -> str:
    return json.dumps({"conn_type": "http", "host": server.url, "extra": {"token": server.token}})
