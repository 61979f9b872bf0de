"""The workspace: where a run of a route keeps its files."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def staging_root(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder all routes stage in: `TRACKER_SYNC_STAGING`, or `./staging`."""
    return Path(environment.get("TRACKER_SYNC_STAGING") or "staging").absolute()


@dataclass(frozen=True, slots=True)
class Workspace:
    """The files of one run; every path is a rule over route, run, slice and try.

    Attributes:
        root: The staging root.
        route: The route's name.
        run_id: Airflow's run id.
    """

    root: Path
    route: str
    run_id: str

    @property
    def run(self) -> Path:
        """The folder of this run."""
        return self.root / self.route / "runs" / folder_name(self.run_id)

    @property
    def state(self) -> Path:
        """The folder of the route's states, one a pair of servers; they outlive its runs."""
        return self.root / self.route / "state"

    @property
    def reads(self) -> Path:
        """The folder of the route's read numbers; it outlives its runs and its states."""
        return self.root / self.route / "reads"

    @property
    def servers(self) -> Path:
        """Which two servers the run is between, as JSON."""
        return self.run / "servers.json"

    @property
    def holder(self) -> Path:
        """Who the run is where a lease is held, as JSON; there once it was about to hold one."""
        return self.run / "holder.json"

    @property
    def model(self) -> Path:
        """What the programs consist of, as JSON."""
        return self.run / "model.json"

    @property
    def metadata(self) -> Path:
        """What of the metadata differed, as JSON."""
        return self.run / "metadata.json"

    @property
    def plan(self) -> Path:
        """The run's window and slices, as JSON."""
        return self.run / "plan.json"

    @property
    def listing(self) -> Path:
        """Who is to be read, one row a tracked entity."""
        return self.run / "listing.parquet"

    @property
    def report(self) -> Path:
        """What became of the run, as JSON."""
        return self.run / "report.json"

    @property
    def run_ledger(self) -> Path:
        """What became of each object of the run."""
        return self.run / "ledger.parquet"

    @property
    def run_rejects(self) -> Path:
        """What servers said of what they refused in the run; it quotes patients."""
        return self.run / "rejects.parquet"

    def rejects(self, slice_id: str) -> Path:
        """What servers said of what they refused in a slice or a phase; it quotes patients."""
        return self.run / slice_id / "rejects.parquet"

    @property
    def unique_values(self) -> Path:
        """Who of the run has which unique value, as an SQLite database of keyed digests."""
        return self.run / "unique.sqlite"

    def package(self, slice_id: str, attempt: int) -> Path:
        """The folder a try of a slice stages in."""
        return self.run / slice_id / f"try-{attempt}"

    def ledger(self, slice_id: str) -> Path:
        """What became of each object of a slice."""
        return self.run / slice_id / "ledger.parquet"

    def loaded(self, slice_id: str) -> Path:
        """Which packages a slice's load used, as JSON."""
        return self.run / slice_id / "loaded.json"

    def asked_to_delete(self, phase: str) -> Path:
        """What a phase was about to delete at the destination, as JSON."""
        return self.run / phase / "asked_to_delete.json"

    @property
    def given_up(self) -> Path:
        """The unique values that people gave up and may get back, as JSON, while any is."""
        return self.run / "second_pass" / "given_up.json"

    def planned(self, slice_id: str) -> Path:
        """What a dry run would have done with a slice, or in a phase."""
        return self.run / slice_id / "planned.parquet"

    def import_report(self, slice_id: str) -> Path:
        """A slice's counts, as JSON."""
        return self.run / slice_id / "import_report.json"


def folder_name(run_id: str) -> str:
    """Return *run_id* as a folder's name, different for different run ids."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", run_id)
    if plain == run_id:
        return plain
    return f"{plain}-{hashlib.sha256(run_id.encode()).hexdigest()[:6]}"
