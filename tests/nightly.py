"""Runs of a route without Airflow: the steps one after another, between two servers on sockets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from planned import SLICE, planned
from servers import SENEGAL, grant, route, running
from tracker_sync.ledger import read_ledger
from tracker_sync.loading import Destination
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry
from tracker_sync.publish import publish
from tracker_sync.route import Route
from tracker_sync.run_plan import read_run_plan
from tracker_sync.servers import note_servers
from tracker_sync.steps import owners, relationships
from tracker_sync.steps.after_slices import AfterSlices
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace


ROUTE = route(metadata="ignore")


@dataclass
class Nights:
    """A source and a destination with the same metadata, and the runs between them.

    A test says whom a run reads, which is what the lists would have named.
    """

    source: Dhis2Client
    destination: Dhis2Client
    folder: Path
    route: Route = ROUTE
    model: Model = field(init=False)

    def __post_init__(self) -> None:
        note_servers(self.workspace("first"), self.source.url, self.destination.url)
        self.model = synchronise(self.source, self.destination, self.route).model

    def workspace(self, run_id: str) -> Workspace:
        return Workspace(self.folder, "demo", run_id)

    def load(self, run_id: str, uids: Collection[str], *, program: str = "") -> AfterSlices:
        """Bring people, or events of *program*, and return the run at the end of its slices."""
        workspace = self.workspace(run_id)
        by_hand = planned(self.folder, dict.fromkeys(uids, ()), program=program)
        by_hand.run.rename(workspace.run)
        publish(workspace.model, self.model.to_json().encode())
        staged = extract(self.source, self.route, workspace, SLICE, 1).package
        bundles = transform(workspace, staged).package
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


@contextmanager
def nights(folder: Path, version: str, to_version: str = "", **terms: Any) -> Iterator[Nights]:
    """Run a district and an empty server of the same metadata; the accounts write everywhere."""
    with (
        running(folder, "from", district=True, version=version) as source,
        running(folder, "to", version=to_version or version) as first_session,
    ):
        given = route(**terms)
        synchronise(source, first_session, given)
        grant(first_session, SENEGAL)
        fresh = Credentials(token=f"d2p_{'to':x<32}")  # a session keeps the rights it began with
        with Dhis2Client(first_session.url, fresh, name="to") as destination:
            ignoring = given.model_copy(update={"metadata": "ignore"})
            yield Nights(source, destination, folder / "staging", ignoring)


def send(client: Dhis2Client, payload: dict[str, Any], strategy: str = "CREATE_AND_UPDATE") -> Any:
    """Send tracker data as a user does, and insist that nothing of it is refused."""
    params = {"async": "false", "importStrategy": strategy}
    answer = client.post("/api/tracker", payload, params)
    assert answer.json()["validationReport"]["errorReports"] == []
    return answer


def with_route(night: Nights, **terms: Any) -> Nights:
    """Return the same servers and runs under another route."""
    other = replace(night, route=night.route.model_copy(update=terms))
    other.model = night.model
    return other
