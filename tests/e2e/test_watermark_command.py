"""A route's watermarks go out into a file and back in, on both sides, and never ahead of now."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.models import Connection
from airflow.models.asset import AssetModel
from airflow.state import AssetScope, get_state_backend
from airflow.utils.session import create_session

from dhis2_airflow.watermark_store import store_watermarks, stored_watermarks
from dhis2_airflow.watermarks import KEY, watermark_asset
from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value
from e2e.sync import ROUTE
from project import PROJECT
from servers import running
from tracker_sync.route import Route
from tracker_sync.routes import load_route
from tracker_sync.windows.checkpoint import NAMESPACE, read_checkpoint, write_checkpoint


NOON = datetime(2026, 3, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Installation:
    """An Airflow that knows a route, whose connections are in its database."""

    route: Route
    destination: Dhis2Client
    folder: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(str(PROJECT / room) for room in ("include", "plugins"))
        environment = {
            **os.environ,
            "PYTHONPATH": path,
            "TRACKER_SYNC_ROUTES": str(self.folder / "routes"),
        }
        command = [sys.executable, "-m", "dhis2_airflow.watermark_command", *arguments]
        return subprocess.run(
            command, env=environment, check=False, capture_output=True, text=True, timeout=120
        )

    def file(self, **content: Any) -> str:
        path = self.folder / "marks.json"
        path.write_text(json.dumps({"route": self.route.name, **content}))
        return str(path)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "northern.yaml").write_text(ROUTE)
    route = load_route(tmp_path / "routes" / "northern.yaml")
    asset = watermark_asset(route)
    with running(tmp_path, "from") as source, running(tmp_path, "to") as destination:
        rows = [AssetModel(name=asset.name, uri=asset.uri, group="asset")]
        for name, client in (("from", source), ("to", destination)):
            token = json.dumps({"token": f"d2p_{name:x<32}"})
            row = Connection(name, "http", host=client.url, extra=token)  # noqa: AIR311 - a row, not the SDK's
            rows.append(row)
        with create_session() as session:
            session.add_all(rows)
        yield Installation(route, destination, tmp_path)
        with create_session() as session:
            for row in rows:
                session.delete(session.merge(row))


def test_what_goes_out_comes_back_in_on_both_sides(installation: Installation) -> None:
    route, there = installation.route, installation.destination
    store_watermarks(route, {"both": NOON, "here": NOON})
    write_checkpoint(there, route.name, {"both": NOON - DAY, "there": NOON})

    out = installation.command("export", "northern")
    store_watermarks(route, {"newer": NOON})
    write_checkpoint(there, route.name, {})
    (installation.folder / "marks.json").write_text(out.stdout)
    done = installation.command("import", "northern", str(installation.folder / "marks.json"))

    assert (out.returncode, done.returncode) == (0, 0), out.stderr + done.stderr
    marks = {"both": NOON - DAY, "here": NOON, "there": NOON}
    assert stored_watermarks(route) == {**marks, "newer": NOON}
    assert read_checkpoint(there, route.name) == marks
    assert f"Airflow: here nothing -> {NOON.isoformat()}" in done.stdout
    assert f"Airflow: newer stays at {NOON.isoformat()}" in done.stdout
    assert f"the destination: both nothing -> {(NOON - DAY).isoformat()}" in done.stdout


def test_good_watermarks_replace_what_is_none_on_either_side(installation: Installation) -> None:
    route, there = installation.route, installation.destination
    create_value(there, NAMESPACE, "watermarks-northern", ["bad"])
    with create_session() as session:
        asset = session.query(AssetModel).filter_by(name=watermark_asset(route).name).one()
        state = AssetScope(asset_id=asset.id)
        get_state_backend().set(state, KEY, json.dumps({"key": "soon"}), session=session)

    out = installation.command("export", "northern")
    file = installation.file(airflow={"key": NOON.isoformat()}, destination={})
    done = installation.command("import", "northern", file)

    assert out.returncode == 1
    assert "holds no watermarks (key" in out.stderr or "holds no watermarks (Invalid" in out.stderr
    assert done.returncode == 0, done.stderr
    assert stored_watermarks(route) == read_checkpoint(there, route.name) == {"key": NOON}


def test_a_watermark_in_the_future_is_refused_and_nothing_is_imported(
    installation: Installation,
) -> None:
    ahead = (datetime.now(UTC) + DAY).isoformat()
    file = installation.file(airflow={"good": NOON.isoformat(), "ahead": ahead}, destination={})

    done = installation.command("import", "northern", file)

    assert done.returncode == 1
    assert "correct ahead; nothing was imported" in done.stderr
    assert stored_watermarks(installation.route) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"airflow": {"key": "soon"}, "destination": {}}, "no file that `export` wrote"),
        ({"airflow": {}}, "no file that `export` wrote"),
        ({"route": "south", "airflow": {}, "destination": {}}, "of `south`, not of `northern`"),
    ],
)
def test_another_file_is_refused(
    installation: Installation, content: dict[str, Any], says: str
) -> None:
    done = installation.command("import", "northern", installation.file(**content))

    assert done.returncode == 1
    assert says in done.stderr


def test_a_route_that_airflow_does_not_know_yet_is_named_with_what_to_do(
    installation: Installation,
) -> None:
    (installation.folder / "routes" / "unread.yaml").write_text(ROUTE)

    unread = installation.command("export", "unread")
    unknown = installation.command("export", "nowhere")

    assert (unread.returncode, unknown.returncode) == (1, 1)
    assert "airflow dags reserialize" in unread.stderr
    assert "nowhere.yaml cannot be read" in unknown.stderr
