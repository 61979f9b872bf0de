"""Nightly runs over a source that others write to, as far as staging goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from servers import HIV, SENEGAL, SURVEILLANCE
from simulation.source import Source
from simulation.writers import DAY_ONE, FIRST_NAME, Fact
from tracker_sync.metadata.model import Model
from tracker_sync.publish import publish
from tracker_sync.route import Reading, Route, Slices
from tracker_sync.servers import note_servers
from tracker_sync.steps.extract import extract
from tracker_sync.steps.plan_slices import plan_slices
from tracker_sync.windows.watermark import moved
from tracker_sync.windows.window import Occasion
from tracker_sync.workspace import Workspace


OVERLAP = timedelta(minutes=60)
ROUTE = Route(
    name="north",
    source="from",
    destination="to",
    programs=(HIV, SURVEILLANCE),
    org_units=(SENEGAL,),
    slices=Slices(level=1),
    # One request after the other, so that a seed gives the same story every time; pages of
    # a few rows, so that a list is long enough to be disturbed.
    reading=Reading(page_size=4, at_once=20, in_parallel=1, overlap_minutes=60),
)


@dataclass(slots=True)
class Nights:
    """One route's runs, whose staged packages are kept."""

    source: Source
    model: Model
    folder: Path
    watermarks: dict[str, datetime] = field(default_factory=dict)
    runs: list[Workspace] = field(default_factory=list)
    passes: int = 0

    def run(self, start: datetime, end: datetime) -> None:
        """Plan and extract what a scheduled run with this interval would."""
        workspace = Workspace(self.folder, ROUTE.name, f"scheduled__{len(self.runs)}")
        note_servers(workspace, "source", "destination")
        publish(workspace.model, self.model.to_json().encode())
        occasion = Occasion("scheduled", start, end, dict(self.watermarks))
        plan = plan_slices(self.source.client, ROUTE, workspace, occasion)
        for piece in plan.slices:
            extract(self.source.client, ROUTE, workspace, piece.slice, 1)
        self.watermarks = moved(self.watermarks, plan.moving())
        self.passes = max(self.passes, plan.passes)
        self.runs.append(workspace)

    def lost(self, facts: Mapping[str, Fact]) -> list[str]:
        """Return what the source holds, or held, and no run has staged."""
        staged = Staged()
        for workspace in self.runs:
            staged.take(workspace)
        return [f"{fact.kind} {uid}" for uid, fact in facts.items() if not staged.has(uid, fact)]

    def owners_lost(self, facts: Mapping[str, Fact]) -> int:
        """Count the enrollments whose person's owner no run has staged as it is now."""
        owners: dict[str, str] = {}
        for workspace in self.runs:
            for row in _rows(workspace, "owners"):
                owners[row["trackedEntity"]] = row["orgUnit"]
        living = [fact for fact in facts.values() if fact.kind == "ENROLLMENT" and not fact.deleted]
        return sum(owners.get(fact.above) != fact.owner for fact in living)


@dataclass(slots=True)
class Staged:
    """The highest number that was staged of each object, and the tombstones."""

    numbers: dict[str, int] = field(default_factory=dict)
    tombstones: set[str] = field(default_factory=set)

    def take(self, workspace: Workspace) -> None:
        """Add what one run staged."""
        for row in _rows(workspace, "attributes"):
            if row["attribute"] == FIRST_NAME and not row["enrollment"]:
                self._see(row["trackedEntity"], int(row["value"]))
        for row in _rows(workspace, "enrollments"):
            day = datetime.fromisoformat(row["occurredAt"]).date()
            self._see(row["enrollment"], (day - DAY_ONE).days)
        for row in _rows(workspace, "data_values"):
            if row["value"].isdecimal():
                self._see(row["event"], int(row["value"]))
        for table, key in TOMBSTONES:
            self.tombstones |= {row[key] for row in _rows(workspace, table) if row["deleted"]}

    def has(self, uid: str, fact: Fact) -> bool:
        """Whether an object was staged as it is, or as gone with what stood above it."""
        if fact.deleted:
            return bool(self.tombstones & {uid, fact.above}) or uid not in self.numbers
        return self.numbers.get(uid, 0) >= fact.number

    def _see(self, uid: str, number: int) -> None:
        self.numbers[uid] = max(self.numbers.get(uid, 0), number)


TOMBSTONES = (
    ("tracked_entities", "trackedEntity"),
    ("enrollments", "enrollment"),
    ("events", "event"),
)


def _rows(workspace: Workspace, table: str) -> Iterator[dict[str, Any]]:
    for path in sorted(workspace.run.glob(f"*/try-1/{table}.parquet")):
        yield from pq.read_table(path).to_pylist()
