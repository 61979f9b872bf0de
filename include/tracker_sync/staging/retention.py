"""The retention: which staged files have lain long enough, and how they go.

Staged packages hold patients' values, so they must not lie for ever; the state, which
holds none and which later runs need, is never touched.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tracker_sync.publish import StagingUnusable, private_folder
from tracker_sync.workspace import Workspace


_DRAFT = re.compile(r"\..+\.(\d{1,9})\.draft")
_DRAFT_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, and what would have been.

    Attributes:
        runs: The folders of the runs that were removed.
        unsettled: Those that are old enough and stay, because they are not settled.
        drafts: How many drafts of dead processes were removed.
    """

    runs: tuple[str, ...]
    unsettled: tuple[str, ...]
    drafts: int


def remove_old_staging(workspace: Workspace, keep: timedelta, now: datetime) -> Removed:
    """Remove what was staged long ago for a route.

    A run goes when nothing in its folder has moved for *keep*; one that is not settled
    only after twice that, because its tasks may still be cleared. It is first moved
    aside in one step: whoever looks sees all of it or nothing.

    Args:
        workspace: The route's files, of whatever run.
        keep: How long.
        now: The time.

    Raises:
        StagingUnusable: Something is not ours to remove.
    """
    runs = workspace.run.parent
    aside = runs.with_name("removed")
    _delete(aside)  # what an earlier removal left that was killed
    old = [run for run in _folders(runs) if now - last_moved(run) > keep]
    stay = [run for run in old if not is_settled(run) and now - last_moved(run) <= 2 * keep]
    gone = [run for run in old if run not in stay]
    for run in gone:
        with _removing(run):
            run.replace(private_folder(aside) / run.name)
    _delete(aside)
    drafts = [*_dead_drafts(runs.parent, now)]
    for draft in drafts:
        draft.unlink(missing_ok=True)
    return Removed(_names(gone), _names(stay), len(drafts))


def last_moved(run: Path) -> datetime:
    """Return when anything in the folder of a run was last written, made or removed."""
    stamps = [run.stat().st_mtime]
    for folder, _, files in os.walk(run):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            with suppress(FileNotFoundError):
                stamps.append(path.stat().st_mtime)
    return datetime.fromtimestamp(max(stamps), UTC)


def is_settled(run: Path) -> bool:
    """Whether the run came to its end, and nothing was missing in it."""
    try:
        missing: int = json.loads((run / "report.json").read_bytes())["totals"]["missing"]
    except (FileNotFoundError, ValueError, KeyError):
        return False
    return missing == 0


def describe(removed: Removed) -> list[str]:
    """Return what was removed, as lines for a log."""
    lines = [
        f"{len(removed.runs)} old runs removed: {', '.join(removed.runs) or 'none'}",
        f"{removed.drafts} drafts of dead processes removed",
    ]
    if removed.unsettled:
        waiting = ", ".join(removed.unsettled)
        lines.append(f"{len(removed.unsettled)} not settled, kept for as long again: {waiting}")
    return lines


def _folders(runs: Path) -> list[Path]:
    if not runs.is_dir():
        return []
    return sorted(path for path in runs.iterdir() if path.is_dir() and not path.is_symlink())


def _names(runs: list[Path]) -> tuple[str, ...]:
    return tuple(run.name for run in runs)


def _delete(folder: Path) -> None:
    with _removing(folder):
        if folder.is_dir():
            shutil.rmtree(folder)


@contextmanager
def _removing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StagingUnusable(
            f"{folder} cannot be removed ({error.strerror}): it holds patients' values; give the "
            "user of Airflow the right to remove it, or remove it yourself"
        ) from error


def _dead_drafts(route: Path, now: datetime) -> Iterator[Path]:
    for path in route.rglob(".*.draft"):
        written_by = _DRAFT.fullmatch(path.name)
        with suppress(FileNotFoundError):  # it was published, or dropped, this moment
            age = now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
            if written_by and age > _DRAFT_AGE and not _is_running(int(written_by[1])):
                yield path


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as somebody else
    return True
