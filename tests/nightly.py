"""Runs of a route without Airflow: the steps one after another, between two servers on sockets."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from planned import SLICE, planned
from servers import SENEGAL, grant, put, route, running
from tracker_sync.ledger import read_ledger
from tracker_sync.loading.batch import Destination
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry
from tracker_sync.publish import publish
from tracker_sync.route import Route
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.servers import note_servers
from tracker_sync.steps import owners, relationships
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace


@dataclass
class Nights:
    """A source and a destination with the same metadata, and the runs between them.

    A test says whom a run reads, which is what the lists would have named.
    """

    source: Dhis2Client
    destination: Dhis2Client
    folder: Path
    route: Route
    model: Model

    def __post_init__(self) -> None:
        note_servers(self.workspace("first"), self.source.url, self.destination.url)

    def workspace(self, run_id: str) -> Workspace:
        return Workspace(self.folder, "demo", run_id)

    def load(self, run_id: str, uids: Collection[str], *, program: str = "") -> AfterSlices:
        """Bring people, or events of *program*, and return the run at the end of its slices."""
        workspace = self.workspace(run_id)
        by_hand = planned(self.folder, dict.fromkeys(uids, ()), program=program)
        by_hand.run.rename(workspace.run)
        publish(workspace.model, self.model.to_json().encode())
        staged = extract(self.source, self.route, workspace, SLICE, 1).package
        bundles = transform(workspace, staged, self.route.mapping).package
        (piece,) = read_run_plan(workspace.plan).slices
        load(self.there, self.route, workspace, piece, bundles)
        return AfterSlices(self.source, self.there, self.route, workspace, self.model)

    @property
    def there(self) -> Destination:
        return Destination(self.destination, self.route.programs, pauses=(0.0,))

    def relate(self, after: AfterSlices) -> dict[str, Entry]:
        """Run the phase `relationships` and return its ledger by UID."""
        after.begin("relationships")
        relationships.run(after)
        return self.ledger(after, "relationships")

    def own(self, after: AfterSlices) -> dict[str, Entry]:
        after.begin("owners")
        owners.run(after)
        return self.ledger(after, "owners")

    def ledger(self, after: AfterSlices, phase: str) -> dict[str, Entry]:
        entries = read_ledger(after.workspace.ledger(phase))
        lines = {entry.ref.uid: entry for entry in entries}
        assert len(lines) == len(entries)
        return lines

    def state(self) -> list[dict[str, Any]]:
        """Return every line of the state, oldest page first."""
        pages = sorted(self.workspace("any").state.glob("*/*.parquet"))
        return [line for page in pages for line in pq.read_table(page).to_pylist()]


@dataclass(frozen=True)
class Ground:
    """Two servers at rest, of which every test has a copy: what takes long is done once."""

    folder: Path
    version: str
    route: Route
    model: Model


def ground_of(folder: Path, version: str, *related_by: dict[str, Any], **terms: Any) -> Ground:
    """Make a district, and an empty server of the same metadata whose account writes everywhere.

    Args:
        folder: Where to.
        version: Of both.
        related_by: Relationship types beside the district's.
        terms: Of the route.
    """
    given = route(**terms)
    with (
        running(folder, "from", district=True, version=version) as source,
        running(folder, "to", version=version) as destination,
    ):
        put(source, "relationshipTypes", *related_by)
        model = synchronise(source, destination, given).model
        grant(destination, SENEGAL)
    ignoring = given.model_copy(update={"metadata": "ignore"})
    return Ground(folder, version, ignoring, model)


@contextmanager
def nights(ground: Ground, folder: Path) -> Iterator[Nights]:
    """Run a copy of both servers."""
    for name in ("from", "to"):
        shutil.copy(ground.folder / name, folder / name)
    with (
        running(folder, "from", version=ground.version) as source,
        running(folder, "to", version=ground.version) as destination,
    ):
        yield Nights(source, destination, folder / "staging", ground.route, ground.model)


def send(client: Dhis2Client, payload: dict[str, Any], strategy: str = "CREATE_AND_UPDATE") -> Any:
    """Send tracker data as a user does, and insist that nothing of it is refused."""
    params = {"async": "false", "importStrategy": strategy}
    answer = client.post("/api/tracker", payload, params)
    assert answer.json()["validationReport"]["errorReports"] == []
    return answer


def with_route(night: Nights, **terms: Any) -> Nights:
    """Return the same servers and runs under another route."""
    return replace(night, route=night.route.model_copy(update=terms))
