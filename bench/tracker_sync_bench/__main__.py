"""The command: `make bench` prints one table, and fails where a bar is missed."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from tracker_sync_bench.cases import CASES, ON_DEMAND
from tracker_sync_bench.processes import DidNotWork
from tracker_sync_bench.sizes import TINY, Sizes
from tracker_sync_bench.table import Row, rendered


_KNOWN = CASES | ON_DEMAND


def main() -> int:
    """Measure; return 0 only if every bar is kept."""
    parser = argparse.ArgumentParser(prog="tracker_sync_bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(_KNOWN)}")
    parser.add_argument("--times", type=int, help="measure ours so often (3)")
    parser.add_argument("--tiny", action="store_true", help="try the bench; numbers say nothing")
    arguments = parser.parse_args()
    sizes = TINY if arguments.tiny else Sizes()
    sizes = replace(sizes, times=arguments.times or sizes.times)
    names = arguments.cases or [*CASES]
    if unknown := set(names) - _KNOWN.keys():
        parser.error(f"no case {', '.join(sorted(unknown))}")
    try:
        with TemporaryDirectory(prefix="tracker-sync-bench-") as folder:
            _compile_once(Path(folder))
            rows = [row for name in names for row in _measured(name, sizes, Path(folder))]
    except DidNotWork as error:
        _say(str(error))
        return 2
    _say(rendered(rows))
    return 0 if all(row.passed for row in rows) else 1


def _compile_once(folder: Path) -> None:
    """Let the processes share what Python compiles, even where it may not be kept for good."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(folder / "compiled"))


def _measured(name: str, sizes: Sizes, folder: Path) -> list[Row]:
    load = os.getloadavg()[0]
    print(f"{name} … (load {load:.1f})", file=sys.stderr, flush=True)  # noqa: T201  # progress
    own = folder / name
    own.mkdir()
    rows = [*_KNOWN[name](own, sizes)]
    rmtree(own)
    return rows


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command's output


if __name__ == "__main__":
    sys.exit(main())
