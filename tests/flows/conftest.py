"""A pair of servers for each test, of each version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.world import VERSIONS, Ground, World, ground_of, world_on


@pytest.fixture(scope="session", params=VERSIONS)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return ground_of(tmp_path_factory.mktemp("ground"), request.param)


@pytest.fixture
def world(ground: Ground, tmp_path: Path) -> Iterator[World]:
    with world_on(ground, tmp_path) as both:
        yield both
