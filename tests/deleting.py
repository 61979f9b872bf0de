"""A route between two servers whose people are deleted, step by step and without Airflow."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.export import Listing
from dhis2_api.importer import Ref, delete_objects, import_objects
from dhis2_api.reading import read_by_uid, read_list
from planned import phases_find_nothing, planned
from servers import HIV, SENEGAL, SURVEILLANCE, grant, route, running
from tracker_sync.ledger import read_ledger
from tracker_sync.loading import Destination
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry
from tracker_sync.publish import publish
from tracker_sync.route import Route
from tracker_sync.run_plan import read_run_plan
from tracker_sync.servers import note_servers
from tracker_sync.standing import read_standing
from tracker_sync.steps import deletes
from tracker_sync.steps.after_slices import AfterSlices
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.settle import Settlement, settle
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace


ALL_BELOW = "trackedEntity,deleted,enrollments[enrollment,program,deleted,events[event,deleted]]"
PROGRAMS = (HIV, SURVEILLANCE)


@dataclass
class Road:
    """Two servers, the first of which has people and lone events."""

    source: Dhis2Client
    destination: Dhis2Client
    folder: Path
    model: Model

    def people(self, most: int = 3) -> list[str]:
        """Return people of the source with an enrollment that has two events at least."""
        rows = self._listed("trackedEntities", HIV)
        uids = [row["trackedEntity"] for row in rows]
        trees = read_by_uid(self.source, "trackedEntities", uids, ALL_BELOW)
        found = [tree["trackedEntity"] for tree in trees if _has_events(tree)]
        assert len(found) >= most
        return sorted(found)[:most]

    def cases(self, most: int = 2) -> list[str]:
        """Return events without registration of the source."""
        return sorted(row["event"] for row in self._listed("events", SURVEILLANCE))[:most]

    def _listed(self, kind: Any, program: str) -> list[dict[str, Any]]:
        listing = Listing(kind, program, (SENEGAL,), None, 1_000, living=True)
        return [*read_list(self.source, listing, ZoneInfo("UTC"))]

    def run(
        self, run_id: str, uids: Sequence[str], *, program: str = "", **terms: Any
    ) -> Settlement:
        """Load people, or events of *program*, let the deletions go, and settle the run."""
        self.load(run_id, uids, program=program)
        self.delete(run_id, **terms)
        return self.settle(run_id, **terms)

    def load(self, run_id: str, uids: Iterable[str], *, program: str = "") -> Workspace:
        workspace = Workspace(self.folder, "demo", run_id)
        first = Workspace(self.folder, "demo", "manual__1")
        slice_id = f"slice{program or HIV}"
        note_servers(first, self.source.url, self.destination.url)
        names = {uid: [program] if program else [] for uid in uids}
        planned(self.folder, names, program=program, slice_id=slice_id)
        first.run.rename(workspace.run)
        publish(workspace.model, self.model.to_json().encode())
        here = _route()
        staged = extract(self.source, here, workspace, slice_id, 1).package
        (piece,) = read_run_plan(workspace.plan).slices
        bundles = transform(workspace, staged).package
        load(Destination(self.destination, here.programs), here, workspace, piece, bundles)
        phases_find_nothing(workspace)
        workspace.ledger("deletes").unlink()
        return workspace

    def after(self, run_id: str, *, at_most: int | None = None, **terms: Any) -> AfterSlices:
        there = Destination(self.destination, PROGRAMS, pauses=(0.01, 0.01))
        workspace = Workspace(self.folder, "demo", run_id)
        return AfterSlices(self.source, there, _route(**terms), workspace, self.model, at_most)

    def delete(self, run_id: str, **terms: Any) -> dict[str, Any]:
        return deletes.run(self.after(run_id, **terms))

    def settle(self, run_id: str, **terms: Any) -> Settlement:
        terms.pop("at_most", None)
        return settle(_route(**terms), Workspace(self.folder, "demo", run_id))

    def stamps(self, *people: str) -> dict[Ref, Any]:
        """Return when the destination wrote each object of people last."""
        there = read_standing(self.destination, {"": people})
        return {ref: found.updated_at for ref, found in there.items()}

    def lines(self, run_id: str) -> dict[Ref, Entry]:
        """Return what the phase says of each object."""
        ledger = Workspace(self.folder, "demo", run_id).ledger("deletes")
        return {entry.ref: entry for entry in read_ledger(ledger)}


def _route(**terms: Any) -> Route:
    return route(programs=PROGRAMS, metadata="ignore", **terms)


def _has_events(tree: dict[str, Any]) -> bool:
    (first, *more) = tree["enrollments"] or [{"events": []}]
    return not more and len(first["events"]) >= 2


def prepare(folder: Path, version: str) -> None:
    """Write the data files of both servers, with the metadata of the route on both."""
    with (
        running(folder, "from", district=True, version=version) as source,
        running(folder, "to", version=version) as destination,
    ):
        model = synchronise(source, destination, route(programs=PROGRAMS)).model
        grant(destination, SENEGAL)
    (folder / "model.json").write_text(model.to_json())


@contextmanager
def road_of(prepared: Path, folder: Path, version: str) -> Iterator[Road]:
    """Run both servers on copies of what was prepared."""
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    model = Model.from_json((folder / "model.json").read_text())
    with (
        running(folder, "from", version=version) as source,
        running(folder, "to", version=version) as destination,
    ):
        yield Road(source, destination, folder / "staging", model)


def delete(client: Dhis2Client, *refs: Ref) -> None:
    report = delete_objects(client, refs)
    assert report.stored == set(refs)


def send(client: Dhis2Client, payload: dict[str, Any]) -> None:
    assert import_objects(client, payload).refused == {}


def living(client: Dhis2Client, *people: str) -> set[Ref]:
    """Return what lives of people."""
    found: set[Ref] = set()
    for tree in read_by_uid(client, "trackedEntities", people, ALL_BELOW):
        found |= {Ref("TRACKED_ENTITY", tree["trackedEntity"])} if not tree["deleted"] else set()
        for enrollment in tree["enrollments"]:
            if not enrollment["deleted"]:
                found.add(Ref("ENROLLMENT", enrollment["enrollment"]))
            events = enrollment["events"]
            found |= {Ref("EVENT", event["event"]) for event in events if not event["deleted"]}
    return found


def living_events(client: Dhis2Client, *uids: str) -> set[str]:
    """Return which events without registration live."""
    rows = read_by_uid(client, "events", uids, "event,deleted", program=SURVEILLANCE)
    return {row["event"] for row in rows if not row["deleted"]}


def below(refs: Iterable[Ref], kind: str) -> list[Ref]:
    return sorted(ref for ref in refs if ref.kind == kind)
