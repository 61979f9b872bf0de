"""A pair of servers for each test, of each version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from flows.world import VERSIONS, Ground, World, ground_of, world_on


@pytest.fixture(scope="session")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ground]:
    """What the worlds of a version begin with, made once."""
    return cache(lambda version: ground_of(tmp_path_factory.mktemp("ground"), version))


@pytest.fixture(scope="session", params=VERSIONS)
def ground(request: pytest.FixtureRequest, grounds: Callable[[str], Ground]) -> Ground:
    return grounds(request.param)


@pytest.fixture
def world(ground: Ground, tmp_path: Path) -> Iterator[World]:
    with world_on(ground, tmp_path) as both:
        yield both
