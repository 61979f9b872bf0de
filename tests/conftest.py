"""Every test process has an Airflow of its own: no setting of the machine's reaches it.

Nothing imports this module: pytest runs it once, and a second time would change the home.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from project import PROJECT
from servers import Pair, pair_of


settings.register_profile("quick", deadline=None)
settings.register_profile("deep", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Half the time of a run was waiting for the disk. Nothing here cuts the power, and a process that
# is killed loses nothing the kernel has, so what tests write lies in memory, where there is some.
_MEMORY = Path("/dev/shm")  # noqa: S108 - folders of our own are made in it
if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 2 * 2**30:
    os.environ["TMPDIR"] = str(_MEMORY)  # for processes that tests start, too
    tempfile.tempdir = None

# Before anything imports Airflow, which reads its settings once.
_HOME = tempfile.mkdtemp(prefix="tracker-sync-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for key in [key for key in os.environ if key.startswith("AIRFLOW_")]:
    del os.environ[key]
os.environ |= {
    "AIRFLOW_HOME": _HOME,
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


# What takes minutes begins first, so that both workers come to their end together.
_LONGEST = ("e2e/test_demo_ui", "flows/test_any_order", "simulation", "e2e", "kills", "repository")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest begin; within a folder all stays as it was."""
    items.sort(key=lambda item: _rank(item.path.relative_to(PROJECT / "tests").as_posix()))


def _rank(path: str) -> int:
    ranks = (rank for rank, begin in enumerate(_LONGEST) if path.startswith(begin))
    return next(ranks, len(_LONGEST))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two sandboxes on sockets: one holds the district, one is empty."""
    with pair_of(tmp_path) as servers:
        yield servers
