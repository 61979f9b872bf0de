"""A server with the district, for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dhis2_sandbox.app import create_app
from dhis2_sandbox.faults.control import FaultControl
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from sandbox.district import TOKEN, Caller, caller
from sandbox.metadata_server import VERSIONS, Keeper, keeper


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "server.sqlite"


@pytest.fixture
def district(data: Path) -> Iterator[Caller]:
    app = create_app(data, district=True, superuser=Superuser("district-1234!", TOKEN))
    with serve(app) as base_url:
        yield caller(base_url)


@pytest.fixture
def faults(faulty: Caller) -> FaultControl:
    return FaultControl(faulty.base_url)


@pytest.fixture
def faulty(data: Path) -> Iterator[Caller]:
    app = create_app(data, district=True, superuser=Superuser(token=TOKEN), faults=True)
    with serve(app) as base_url:
        yield caller(base_url)


@pytest.fixture(params=VERSIONS)
def every(request: pytest.FixtureRequest, data: Path) -> Iterator[Keeper]:
    with keeper(data, request.param) as found:
        yield found


@pytest.fixture
def one(data: Path) -> Iterator[Keeper]:
    with keeper(data) as found:
        yield found
