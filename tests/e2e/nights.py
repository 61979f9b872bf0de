"""Two servers whose clocks a test sets, and nights of a route between them.

Each test has a route and a health post of its own, so that all share one pair of servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.models.asset import AssetModel
from airflow.models.asset_state_store import AssetStateStoreModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.types import DagRunType

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_sandbox.app import create_app
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.sandbox import Sandbox
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from e2e.sync import Start, Sync, stored_watermarks
from servers import HIV, MATERNAL, SENEGAL, SEX, grant, put
from tracker_sync.windows.checkpoint import read_checkpoint
from tracker_sync.windows.watermark import as_instants


# After the stamps of the district, so that a window holds only what its test changed.
FIRST = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=3)
_FIRST_NAME, _SEX = "igrbHRNTbIn", "zzlC4ArMYGX"
_NOTHING_ELSE = {"async": "false", "importStrategy": "UPDATE", "atomicMode": "ALL"}


def night(number: int, *, minutes: int = 0) -> datetime:
    """Two o'clock of a night, or some minutes later."""
    return FIRST + timedelta(days=number, minutes=minutes)


@dataclass(frozen=True, slots=True)
class SetClock(Clock):
    """A clock that shows what a test set it to."""

    at: datetime = FIRST

    def now(self) -> datetime:
        return self.at


@dataclass
class World:
    """Both servers, their insides, and the folder they are in.

    Attributes:
        behind: By how much the source's clock is behind the destination's.
    """

    source: Dhis2Client
    destination: Dhis2Client
    insides: tuple[Sandbox, Sandbox]
    folder: Path
    behind: timedelta = timedelta(0)

    def set_clocks(self, at: datetime) -> None:
        source, destination = self.insides
        source.clock = SetClock(at=at - self.behind)
        destination.clock = SetClock(at=at)

    @contextmanager
    def source_behind(self, by: timedelta) -> Iterator[None]:
        self.behind = by
        try:
            yield
        finally:
            self.behind = timedelta(0)


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    with ExitStack() as stack:
        clients, insides = [], []
        for name in ("from", "to"):
            token = f"d2p_{name:x<32}"
            app = create_app(
                folder / name, district=name == "from", superuser=Superuser(token=token)
            )
            insides.append(app._app.state.sandbox)  # type: ignore[attr-defined]  # noqa: SLF001 - the front door's
            url = stack.enter_context(serve(app))
            client = Dhis2Client(url, Credentials(token=token), name=name)
            clients.append(stack.enter_context(client))
        _open_all_units(*clients)
        yield World(clients[0], clients[1], (insides[0], insides[1]), folder)


def _open_all_units(source: Dhis2Client, destination: Dhis2Client) -> None:
    """Let the destination know the whole tree: some people of a post are registered elsewhere."""
    units = source.get("/api/organisationUnits", {"fields": ":owner", "paging": "false"})
    put(destination, "organisationUnits", *units["organisationUnits"])
    grant(destination, SENEGAL)
    destination.forget_session()


@dataclass(frozen=True)
class Nights:
    """A route of one health post, its people, and what a test does to them."""

    world: World
    sync: Sync
    post: str

    def write_route(self, *programs: str, **terms: str) -> None:
        given = {"metadata": "apply", "grant_self": "true"} | terms
        self.sync.write_route(
            f"source: from\ndestination: to\nprograms: [{', '.join(programs)}]\n"
            f'org_units: [{self.post}]\nschedule: "0 2 * * *"\n'
            + "".join(f"{key}: {value}\n" for key, value in given.items())
        )

    def nightly(self, number: int, **how: Any) -> DagRun:
        """The run of the schedule in the night *number*, which covers the day before it."""
        self.world.set_clocks(night(number, minutes=3))
        interval = (night(number - 1), night(number))
        return self.sync.run(Start(DagRunType.SCHEDULED, interval, **how))

    def backfill(self, number: int) -> DagRun:
        """The run of a backfill over the day before the night *number*."""
        return self.sync.run(Start(DagRunType.BACKFILL_JOB, (night(number - 1), night(number))))

    def rename(self, person: str, name: str, at: datetime) -> None:
        """Change somebody's first name at the source, at some time."""
        self._change(person, _FIRST_NAME, name, at)

    def make_refused(self, person: str, at: datetime) -> None:
        """Give somebody at the source an option that the destination will not have."""
        option = {"id": "leftOption1", "code": "LEFT", "name": "x", "optionSet": {"id": SEX}}
        self.sync.source.post("/api/metadata", {"options": [option]})
        self._change(person, _SEX, "LEFT", at)
        self.sync.source.request("DELETE", "/api/options/leftOption1")

    def make_right(self, person: str, at: datetime) -> None:
        """Give them one that both servers have."""
        self._change(person, _SEX, "F", at)

    def state(self) -> Path:
        """Where the state of the route between the two servers lies."""
        (folder,) = (self.sync.staging / self.sync.name / "state").glob("*/")
        return folder

    def _change(self, person: str, attribute: str, value: str, at: datetime) -> None:
        self.world.set_clocks(at)
        fields = "trackedEntity,trackedEntityType,orgUnit,geometry"
        found = self.sync.source.get(f"/api/tracker/trackedEntities/{person}", {"fields": fields})
        changed = {**found, "attributes": [{"attribute": attribute, "value": value}]}
        self.sync.source.post("/api/tracker", {"trackedEntities": [changed]}, _NOTHING_ELSE)

    def people(self, client: Dhis2Client, program: str = HIV) -> dict[str, Any]:
        """Everybody of the post in a program, as a server holds them."""
        fields = (
            "trackedEntity,orgUnit,attributes[attribute,value],enrollments[enrollment,program,"
            "status,enrolledAt,events[event,status,occurredAt,dataValues[dataElement,value]]]"
        )
        params = {"program": program, "orgUnits": self.post, "orgUnitMode": "DESCENDANTS"}
        answer = client.get("/api/tracker/trackedEntities", {**params, "fields": fields})
        return {row["trackedEntity"]: _in_order(row) for row in answer["trackedEntities"]}

    def somebody(self) -> list[str]:
        """People of the post in the HIV program, who are in no other of the programs."""
        elsewhere = self.people(self.sync.source, MATERNAL)
        return sorted(self.people(self.sync.source).keys() - elsewhere.keys())

    def equal(self, program: str = HIV) -> bool:
        """Whether both servers hold the same people; there must be some."""
        ours = self.people(self.sync.source, program)
        assert ours
        return ours == self.people(self.sync.destination, program)

    def marks(self) -> set[datetime]:
        """Where the watermarks of the route are, the same on both sides."""
        airflow = as_instants(stored_watermarks(self.sync))
        assert airflow == read_checkpoint(self.sync.destination, self.sync.name)
        return {*airflow.values()}

    def lose_watermarks(self) -> None:
        """Do what a new database of Airflow does."""
        with create_session() as session:
            asset = session.query(AssetModel).filter_by(name=self.sync.dag_id).one()
            session.query(AssetStateStoreModel).filter_by(asset_id=asset.id).delete()


def _in_order(value: Any) -> Any:
    """Return JSON with its lists in an order of their own."""
    if isinstance(value, dict):
        return {key: _in_order(item) for key, item in value.items()}
    return sorted(map(_in_order, value), key=repr) if isinstance(value, list) else value
