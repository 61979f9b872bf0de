"""Two servers of one version on sockets, and whole runs between them without Airflow."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import requests

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.jobs import JobPatience
from dhis2_api.patience import Patience
from dhis2_sandbox.app import create_app
from dhis2_sandbox.faults.control import FaultControl
from dhis2_sandbox.sandbox import Sandbox
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from flows.held import Held, Key, differing, held_by
from flows.people import CONTACT
from flows.watch import Watch
from servers import HIV, MATERNAL, PERSON, SURVEILLANCE, VACCINATION, put, route
from shelf import Memory
from tracker_sync.leases.lease import unguarded
from tracker_sync.loading.batch import Destination
from tracker_sync.mapping.there import model_there, route_there
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.model import Model
from tracker_sync.publish import publish
from tracker_sync.route import Reading, Route, Slices
from tracker_sync.runs.after_slices import PHASES, AfterSlices
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.sending.jobs import Jobs
from tracker_sync.sending.posting import Posting
from tracker_sync.servers import note_servers
from tracker_sync.staging.package import Staged
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.plan_slices import plan_slices
from tracker_sync.steps.settle import settle
from tracker_sync.steps.transform import transform
from tracker_sync.windows.watermark import moved
from tracker_sync.windows.window import Occasion
from tracker_sync.workspace import Workspace


VERSIONS = ("2.40.9", "2.41.8", "2.42.4", "2.43.1")
TOKEN = f"d2p_{'flows':x<32}"
PROGRAMS = (HIV, MATERNAL, VACCINATION, SURVEILLANCE)
SOON = JobPatience(ends=10, appears=5, first=0.01, longest=0.05)
PEOPLE_TABLES = ("entity", "attribute", "enrollment", "event", "note", "relationship", "owner")
_AT_ONCE = {"async": "false", "atomicMode": "ALL", "importStrategy": "CREATE_AND_UPDATE"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Server:
    """A sandbox on a socket.

    Attributes:
        client: Speaks to it, as a superuser.
        sandbox: Its inside.
        faults: Orders its faults.
        watch: Hears what it is asked to import.
    """

    client: Dhis2Client
    sandbox: Sandbox
    faults: FaultControl
    watch: Watch

    @property
    def version(self) -> str:
        return self.sandbox.dialect.version

    def holds(self) -> Held:
        """Return what lives on it, from its database and not from its API."""
        return held_by(self.sandbox)

    def stamps(self) -> dict[str, str]:
        """Return when each object was last written."""
        found: dict[str, str] = {}
        with self.sandbox.database.reading() as connection:
            for kind in ("entity", "enrollment", "event", "relationship"):
                rows = connection.execute(f"SELECT uid, updated_at FROM {kind}")  # noqa: S608
                found |= {row["uid"]: row["updated_at"] for row in rows}
        return found

    def write(self, **objects: list[Json]) -> None:
        """Import objects, all or none of them, like anybody would."""
        self.client.post("/api/tracker", objects, _AT_ONCE)

    def remove(self, **objects: list[Json]) -> None:
        """Delete objects."""
        self.client.post("/api/tracker", objects, {**_AT_ONCE, "importStrategy": "DELETE"})

    def give(self, person: str, program: str, org_unit: str) -> None:
        """Make an org unit the owner of a person in a program."""
        old = self.version < "2.41"
        params = {
            "trackedEntityInstance" if old else "trackedEntity": person,
            "program": program,
            "ou" if old else "orgUnit": org_unit,
        }
        self.client.request("PUT", "/api/tracker/ownership/transfer", params=params)

    def forget_people(self) -> None:
        """Keep the metadata alone."""
        with self.sandbox.database.writing() as connection:
            for table in (*PEOPLE_TABLES, "file_resource", "data_store", "job"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours

    def sql(self, statement: str, *values: Any) -> None:
        """Change what no request of today would let through, and old servers hold all the same."""
        with self.sandbox.database.writing() as connection:
            assert connection.execute(statement, values).rowcount

    def lose(self, plural: str, uid: str) -> None:
        """Take a metadata object away, whoever refers to it."""
        assert self.sandbox.metadata.get(plural, uid)
        with self.sandbox.store.changing() as connection:
            self.sandbox.store.remove(connection, plural, uid)

    def alter(self, plural: str, uid: str, **members: Any) -> None:
        """Give a metadata object other members."""
        item = self.sandbox.metadata.get(plural, uid)
        assert item
        with self.sandbox.store.changing() as connection:
            self.sandbox.store.put(connection, plural, [item | members])
        self.client.forget_session()

    def members(self, plural: str, uid: str, name: str) -> list[Json]:
        """Return the items of a list in a metadata object."""
        found: list[Json] = (self.sandbox.metadata.get(plural, uid) or {})[name]
        return found

    def upload(self, uid: str, content: bytes) -> None:
        """Keep a file under a UID."""
        requests.post(
            f"{self.client.url}/api/fileResources",
            params={"uid": uid},
            files={"file": (f"{uid}.pdf", content, "application/pdf")},
            headers={"Authorization": f"ApiToken {TOKEN}"},
            timeout=10,
        ).raise_for_status()


@dataclass(slots=True)
class Run:
    """One run, whole or as far as it came.

    Attributes:
        workspace: Its files.
        route: Its route.
        report: Of settle; empty if it did not come so far.
        problems: Why it is red.
    """

    workspace: Workspace
    route: Route
    report: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def totals(self) -> Mapping[str, int]:
        totals: Mapping[str, int] = self.report["totals"]
        return totals

    @property
    def sent(self) -> int:
        return self.totals["sent"]

    @property
    def refused(self) -> dict[str, tuple[str, str]]:
        """Those that did not arrive: UID -> outcome and code."""
        return {item["uid"]: (item["outcome"], item["code"]) for item in self.report["refusals"]}

    @property
    def slices(self) -> tuple[Slice, ...]:
        return tuple(read_run_plan(self.workspace.plan).slices)

    def ledger(self) -> pa.Table:
        """All ledgers of slices and phases, as one table."""
        paths = sorted(self.workspace.run.glob("*/ledger.parquet"))
        assert paths
        return pa.concat_tables([pq.read_table(path) for path in paths])


@dataclass(slots=True)
class World:
    """A source and a destination with the district's metadata and nobody in it.

    Attributes:
        source: The server that is read.
        destination: The server that is written to.
        folder: Where runs stage.
        model: The metadata's.
        terms: What the route says besides.
        watermarks: Up to where the runs accounted for everything.
        runs: The runs up to now.
        deletes_at_most: What a person allows the next runs.
        before_write: Called before each write request.
        dry_run: Whether the next runs write nothing.
        jobs: The jobs under way at the destination, if the route says `import: async`.
    """

    source: Server
    destination: Server
    folder: Path
    model: Model
    terms: dict[str, Any] = field(default_factory=dict)
    watermarks: dict[str, datetime] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    deletes_at_most: int | None = None
    before_write: Callable[[], None] = unguarded
    dry_run: bool = False
    jobs: Jobs = field(default_factory=lambda: Jobs(Memory(), SOON))

    @property
    def version(self) -> str:
        return self.source.version

    def route(self) -> Route:
        """Return the route; no overlap, so that a run reads what it must and no more."""
        given = {
            "programs": PROGRAMS,
            "metadata": "ignore",
            "baseline": "allow",
            "refused": "warn",
            "reading": Reading(overlap_minutes=0),
            "slices": Slices(level=2),
        }
        return route(**given | self.terms)

    def run(self, **terms: Any) -> Run:
        """Run everything, and return what it came to; *terms* change the route from now on."""
        self.terms |= terms
        run = self.begin()
        for piece in run.slices:
            self.load(run, piece, self.bundles(run, piece))
        return self.end(run)

    def begin(self) -> Run:
        """Plan a run, the first step after the metadata."""
        workspace = Workspace(self.folder, "district", f"manual__{len(self.runs):03}")
        run = Run(workspace, self.route())
        self.runs.append(run)
        note_servers(workspace, self.source.client.url, self.destination.client.url)
        publish(workspace.model, self.model.to_json().encode())
        occasion = Occasion("manual", watermarks=dict(self.watermarks))
        plan_slices(self.source.client, run.route, workspace, occasion)
        return run

    def bundles(self, run: Run, piece: Slice, attempt: int = 1) -> Staged:
        """Extract and transform a slice."""
        done = extract(self.source.client, run.route, run.workspace, piece.slice, attempt)
        return transform(run.workspace, done.package, run.route.mapping).package

    def load(self, run: Run, piece: Slice, bundles: Staged) -> Mapping[str, Any]:
        """Load a slice."""
        return load(self.there(run), run.route, run.workspace, piece, bundles)

    def end(self, run: Run) -> Run:
        """Do what comes after the slices, and settle."""
        after = self.after(run)
        for phase in PHASES:
            after.begin(phase)
            import_module(f"tracker_sync.steps.{phase}").run(after)
        settlement = settle(run.route, run.workspace)
        run.report, run.problems = settlement.report, settlement.problems
        if not self.dry_run:
            self.watermarks = moved(self.watermarks, settlement.accounted)
        return run

    def after(self, run: Run) -> AfterSlices:
        """Return what the phases of a run work with, and what a person allowed it."""
        here = self.route()
        model = model_there(self.model, here.mapping)
        there, asked = self.there(run), self.deletes_at_most
        return AfterSlices(self.source.client, there, here, run.workspace, model, asked)

    def phase(self, run: Run, phase: str) -> list[Json]:
        """Return the lines of a phase."""
        lines: list[Json] = pq.read_table(run.workspace.ledger(phase)).to_pylist()
        return lines

    def there(self, run: Run) -> Destination:
        """Return the destination as the steps take it; nobody waits for long."""
        return Destination(
            self.destination.client,
            route_there(run.route).programs,
            pauses=(0.0, 0.0, 0.0),
            before_write=self.before_write,
            source=self.source.client,
            dry_run=self.dry_run,
            edits=run.route.destination_edits,
            posting=Posting(jobs=self.jobs if run.route.import_ == "async" else None),
        )

    def differing(self) -> dict[Key, tuple[Any, Any]]:
        """Return what the servers hold differently."""
        return differing(self.source.holds(), self.destination.holds())

    def forget_everybody(self, folder: Path) -> None:
        """Begin anew: nobody is on the servers, and no run was."""
        for server in (self.source, self.destination):
            server.faults.clear()
            server.forget_people()
        self.folder, self.watermarks, self.runs = folder, {}, []
        self.before_write = unguarded

    def learn(self) -> None:
        """Take metadata that was changed into account."""
        pair = (self.source.client, self.destination.client)
        self.model = synchronise(*pair, self.route()).model


@dataclass(frozen=True, slots=True)
class Ground:
    """A data file with the district's metadata and nobody in it, and its model."""

    data: Path
    version: str
    model: Model


def ground_of(folder: Path, version: str, *, inhabited: bool = False) -> Ground:
    """Make the data file that worlds of a version begin with, with the district's people or not."""
    data = folder / "district.sqlite"
    app = create_app(data, district=True, superuser=Superuser(token=TOKEN), version=version)
    with serve(app) as url, Dhis2Client(url, Credentials(token=TOKEN), name="made") as client:
        put(client, "relationshipTypes", _contact())
        with inside(app).database.writing() as connection:
            for table in () if inhabited else PEOPLE_TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand above
        terms = {"programs": PROGRAMS, "metadata": "ignore"}
        model = synchronise(client, client, route(**terms)).model
        with inside(app).database.writing() as connection:  # each copy is a server of its own
            connection.execute("DELETE FROM setting WHERE name = 'systemId'")
    return Ground(data, version, model)


@contextmanager
def world_on(ground: Ground, folder: Path, **terms: Any) -> Iterator[World]:
    """Run two servers that begin alike."""
    with _server(ground, folder, "from") as source, _server(ground, folder, "to") as destination:
        yield World(source, destination, folder / "staging", ground.model, terms)


@contextmanager
def _server(ground: Ground, folder: Path, name: str) -> Iterator[Server]:
    shutil.copy(ground.data, folder / name)
    superuser = Superuser(token=TOKEN)
    app = create_app(folder / name, superuser=superuser, version=ground.version, faults=True)
    token, hasty = Credentials(token=TOKEN), Patience(budget=2.0, first=0.01, longest=0.1)
    watch = Watch(app)
    with serve(watch) as url, Dhis2Client(url, token, name=name, patience=hasty) as client:
        yield Server(client, inside(app), FaultControl(url), watch)


def inside(app: Any) -> Sandbox:
    """Return the inside of an application, however many doors stand before it."""
    while not hasattr(app, "state"):
        app = app._app  # noqa: SLF001 - the doors' own
    sandbox: Sandbox = app.state.sandbox
    return sandbox


def _contact() -> Json:
    person = {
        "relationshipEntity": "TRACKED_ENTITY_INSTANCE",
        "trackedEntityType": {"id": PERSON},
    }
    return {
        "id": CONTACT,
        "name": "Contact",
        "code": "CONTACT",
        "bidirectional": False,
        "fromToName": "a rencontré",
        "sharing": {"public": "rwrw----", "owner": None, "users": {}, "userGroups": {}},
        "fromConstraint": person,
        "toConstraint": person,
    }
