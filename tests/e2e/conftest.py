"""Two sandboxes on sockets and a route between them, run as Airflow runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.utils.db import initdb

from e2e.sync import Sync
from servers import running


@pytest.fixture(scope="session", autouse=True)
def airflow_database() -> None:
    initdb()


@pytest.fixture
def sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Sync]:
    """A district, an empty server, and a route of its own that leads from one to the other.

    Both speak 2.42, or what a test is parametrised with: `2.43.1`, or `2.40.9 to 2.43.1`.
    """
    from_version, _, to_version = getattr(request, "param", "2.42.4").partition(" to ")
    with (
        running(tmp_path, "from", district=True, version=from_version) as source,
        running(tmp_path, "to", version=to_version or from_version) as destination,
    ):
        name = "".join(part for part in request.node.name.lower() if part.isalnum() or part == "_")
        sync = Sync(name[:60], source, destination, tmp_path / "staging", tmp_path / "routes")
        sync.write_route()
        monkeypatch.setenv("TRACKER_SYNC_ROUTES", str(sync.routes))
        monkeypatch.setenv("TRACKER_SYNC_STAGING", str(sync.staging))
        for connection, url in (("from", source.url), ("to", destination.url)):
            token = f"d2p_{connection:x<32}"
            conn = {"conn_type": "http", "host": url, "extra": {"token": token}}
            monkeypatch.setenv(f"AIRFLOW_CONN_{connection.upper()}", json.dumps(conn))
        yield sync
