"""Two sandboxes on sockets for every test: one holds the district, one is empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metadata.servers import Pair, pair_of


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with pair_of(tmp_path) as servers:
        yield servers
