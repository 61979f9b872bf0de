"""The jobs of a run between two servers, and how the nursery is given one."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from flows.world import TOKEN, Run, Server, World
from kills.nursery import Job
from tracker_sync.runs.slicing import Slice
from tracker_sync.staging.package import Staged


def ended(nursery: subprocess.Popen[str], job: Job) -> int:
    """Have a job done in another process; return the signal that ended it, or 0."""
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write(json.dumps(asdict(job)) + "\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())


@dataclass(frozen=True)
class Deadly:
    """Where a job is killed.

    Attributes:
        log: Where each boundary is written that is come to.
        boundary: The one that is deadly.
        nth: Which time.
    """

    log: Path
    boundary: str
    nth: int = 1


def load_of(world: World, run: Run, piece: Slice, bundles: Staged, where: Deadly) -> Job:
    """Return the load of a slice."""
    job = _of(world, run, where, world.destination)
    return replace(job, slice=piece.slice, bundles=asdict(bundles))


def phase_of(world: World, run: Run, phase: str, where: Deadly) -> Job:
    """Return a phase after the slices."""
    job = _of(world, run, where, world.source)
    return replace(job, destination=world.destination.client.url, phase=phase)


def _of(world: World, run: Run, where: Deadly, server: Server) -> Job:
    return Job(
        url=server.client.url,
        root=str(world.folder),
        route=run.route.model_dump_json(),
        slice="",
        log=str(where.log),
        kill_at=where.boundary,
        nth=where.nth,
        name=run.workspace.route,
        run_id=run.workspace.run_id,
        token=TOKEN,
    )
