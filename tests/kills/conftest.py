"""Two servers, and the process whose children are killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.world import Ground, World, ground_of, world_on
from project import PROJECT


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return ground_of(tmp_path_factory.mktemp("ground"), "2.43.1")


@pytest.fixture
def world(ground: Ground, tmp_path: Path) -> Iterator[World]:
    with world_on(ground, tmp_path) as both:
        yield both


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "kills.nursery"]
    environment = {"PYTHONPATH": f"{PROJECT / 'include'}:{PROJECT / 'tests'}"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()
