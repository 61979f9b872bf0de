"""A world on every server there is, for the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client.world import SERVERS, World, world_on


@pytest.fixture(scope="module", params=SERVERS)
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with world_on(request.param, tmp_path_factory.mktemp("world")) as made:
        yield made
