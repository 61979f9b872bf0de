"""A slice's road from one sandbox to another, step by step, without Airflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_sandbox.app import create_app
from dhis2_sandbox.faults.control import FaultControl
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from planned import phases_find_nothing, planned
from servers import SENEGAL, grant, route
from tracker_sync.ledger import read_ledger
from tracker_sync.loading.batch import Destination
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry
from tracker_sync.publish import publish
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.servers import note_servers
from tracker_sync.staging.package import Staged
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.settle import settle
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace


SLICE = "GwTj6qZdrlX"


@dataclass(frozen=True)
class Road:
    """Two servers of one version, and the steps of runs over people or lone events.

    Attributes:
        source: The server that is read, with faults to order.
        destination: The server that is written to, with faults to order.
        folder: The staging root.
        program: The program whose people, or events, are read.
        alone: Whether it is one without registration.
        refused: What a run does about a refusal.
    """

    source: Dhis2Client
    destination: Dhis2Client
    folder: Path
    program: str
    alone: bool = False
    terms: dict[str, Any] = field(default_factory=dict)

    @property
    def route(self) -> Any:
        return route(programs=(self.program,), metadata="ignore", **self.terms)

    def workspace(self, run_id: str) -> Workspace:
        return Workspace(self.folder, "demo", run_id)

    def extracted(self, run_id: str, *uids: str) -> Staged:
        first = self.workspace("manual__1")
        note_servers(first, self.source.url, self.destination.url)
        program = self.program if self.alone else ""
        who = {uid: [self.program] for uid in uids}
        planned(self.folder, who, program=program, slice_id=SLICE)
        workspace = replace(first, run_id=run_id)
        first.run.rename(workspace.run)
        publish(workspace.model, self._model().encode())
        return extract(self.source, self.route, workspace, SLICE, 1).package

    def _model(self) -> str:
        """Return the model as both servers were when the first run began."""
        kept = self.folder.parent / "model.json"
        if not kept.exists():
            model = synchronise(self.source, self.destination, self.route).model
            kept.write_text(model.to_json(), encoding="utf-8")
        return kept.read_text(encoding="utf-8")

    def loaded(self, run_id: str, *uids: str) -> list[Entry]:
        """Bring people or events to the destination, and return the ledger of the slice."""
        staged = self.extracted(run_id, *uids)
        return self.load(run_id, transform(self.workspace(run_id), staged).package)

    def load(self, run_id: str, bundles: Staged) -> list[Entry]:
        workspace = self.workspace(run_id)
        (piece,) = read_run_plan(workspace.plan).slices
        load(self.there(), self.route, workspace, piece, bundles)
        return [*read_ledger(workspace.ledger(SLICE))]

    def there(self) -> Destination:
        pauses = (0.0, 0.0, 0.0)
        return Destination(self.destination, (self.program,), pauses, source=self.source)

    def after(self, run_id: str) -> AfterSlices:
        workspace = self.workspace(run_id)
        model = Model.read(workspace.model)
        return AfterSlices(self.source, self.there(), self.route, workspace, model)

    def phase(
        self, name: str, step: Callable[[AfterSlices], dict[str, Any]], run_id: str
    ) -> list[Entry]:
        """Run a phase after the slices, and return its ledger."""
        after = self.after(run_id)
        after.begin(name)
        step(after)
        return [*read_ledger(after.workspace.ledger(name))]

    def settled(self, run_id: str) -> dict[str, Any]:
        """Return the report of a run whose phases have come to their ends or found nothing."""
        workspace = self.workspace(run_id)
        phases_find_nothing(workspace)
        return dict(settle(self.route, workspace).report)

    def faults(self) -> FaultControl:
        return FaultControl(self.destination.url)


@contextmanager
def road_of(folder: Path, version: str, program: str, *, alone: bool = False) -> Iterator[Road]:
    """Run two servers of a version, both with the program; only the source has its people."""
    with (
        _running(folder, "from", version, district=True) as source,
        _running(folder, "to", version) as first_session,
    ):
        synchronise(source, first_session, route(programs=(program,)))
        grant(first_session, SENEGAL)
        fresh = Credentials(token=f"d2p_{'to':x<32}")  # a session keeps the rights it began with
        with Dhis2Client(first_session.url, fresh, name="to") as destination:
            yield Road(source, destination, folder / "staging", program, alone)


@contextmanager
def _running(
    folder: Path, name: str, version: str, *, district: bool = False
) -> Iterator[Dhis2Client]:
    token = f"d2p_{name:x<32}"
    app = create_app(
        folder / name,
        district=district,
        superuser=Superuser(token=token),
        version=version,
        faults=True,
    )
    with serve(app) as url, Dhis2Client(url, Credentials(token=token), name=name) as client:
        yield client
