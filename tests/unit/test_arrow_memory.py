"""Which allocator the steps' memory comes from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from tracker_sync.arrow_memory import take_frugal_pool


_ASK = "import pyarrow as pa; {} print(pa.default_memory_pool().backend_name)"
_STEP = "import tracker_sync.steps.load;"
_INCLUDE = Path(__file__).parents[2] / "include"


def test_whoever_imports_a_step_has_the_pool_that_keeps_least() -> None:
    assert _backend(_STEP) == _frugal()


def test_the_pool_that_an_installation_names_stays() -> None:
    assert _backend(_STEP, {"ARROW_DEFAULT_MEMORY_POOL": "system"}) == "system"


def test_an_arrow_without_that_pool_keeps_its_own() -> None:
    def none() -> pa.MemoryPool:
        raise NotImplementedError("this build has none")

    before = pa.default_memory_pool().backend_name
    take_frugal_pool(none)
    assert pa.default_memory_pool().backend_name == before


def _frugal() -> str:
    backends = pa.supported_memory_backends()
    return "jemalloc" if "jemalloc" in backends else _backend("")


def _backend(first: str, chosen: Mapping[str, str] = MappingProxyType({})) -> str:
    command = [sys.executable, "-c", _ASK.format(first)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_INCLUDE), **chosen}
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()
