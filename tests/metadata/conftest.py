"""Twins of each version, for the tests that change one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.twins import VERSIONS, Ground, ground_of, twins
from servers import Pair


@pytest.fixture(scope="session", params=VERSIONS)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """What the twins of a version begin with, made once."""
    return ground_of(tmp_path_factory.mktemp("ground"), request.param)


@pytest.fixture
def both(ground: Ground, tmp_path: Path) -> Iterator[Pair]:
    """Two servers with one model; the destination holds no data."""
    with twins(ground, tmp_path) as servers:
        yield servers


@pytest.fixture
def inhabited(ground: Ground, tmp_path: Path) -> Iterator[Pair]:
    """Two servers with one model and the same people."""
    with twins(ground, tmp_path, inhabited=True) as servers:
        yield servers
