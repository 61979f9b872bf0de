"""A source whose clock a test turns by hand, and which others write to between its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Receive, Scope, Send

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_sandbox.app import create_app
from dhis2_sandbox.clock import Clock, written
from dhis2_sandbox.sandbox import Sandbox
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser


TOKEN = "d2p_simulation_simulation_simulat"


@dataclass(slots=True)
class Hands:
    """What time it really is."""

    now: datetime


@dataclass(frozen=True, slots=True)
class TurnedClock(Clock):
    """A server's clock that stands still until somebody turns its hands."""

    hands: Hands = field(default_factory=lambda: Hands(datetime.now(UTC)))

    def now(self) -> datetime:
        return (self.hands.now + self.shift).astimezone(self.zone)


@dataclass(slots=True)
class Busy:
    """An application that lets something happen before each of its answers to a read.

    Attributes:
        app: The sandbox.
        meanwhile: What happens; nothing while it is None.
        upper_bound: Whether lists are asked with `updatedBefore`, as no list of ours is.
    """

    app: Any
    meanwhile: Callable[[], None] | None = None
    upper_bound: datetime | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tracker = scope["type"] == "http" and scope["path"].startswith("/api/tracker/")
        if tracker and self.meanwhile:
            self.meanwhile()
        if tracker and self.upper_bound:
            scope = {**scope, "query_string": self._bounded(scope["query_string"])}
        await self.app(scope, receive, send)

    def _bounded(self, query: bytes) -> bytes:
        params = parse_qsl(query.decode())
        assert self.upper_bound is not None
        if "updatedAfter" not in dict(params):
            return query
        before = written(self.upper_bound.astimezone(UTC)) + "Z"
        return urlencode([*params, ("updatedBefore", before)]).encode()


@dataclass(frozen=True, slots=True)
class Source:
    """The server that is read.

    Attributes:
        client: Speaks to it, as a superuser.
        sandbox: Its inside, which others write to without a request.
        busy: What happens between its answers.
        hands: The real time.
    """

    client: Dhis2Client
    sandbox: Sandbox
    busy: Busy
    hands: Hands

    def set_clock(self, zone: str, now: datetime, skew: timedelta) -> None:
        """Give the server a zone, a time, and a clock that runs beside it."""
        self.hands.now = now
        self.sandbox.clock = TurnedClock(zone, skew, self.hands)

    def forget_the_people(self) -> None:
        """Empty the server of people and events, not of metadata."""
        with self.sandbox.database.writing() as connection:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
            names = {row["name"] for row in tables}
            assert names >= PEOPLE_TABLES
            for name in sorted(PEOPLE_TABLES):
                connection.execute(f"DELETE FROM {name}")  # noqa: S608 - the names stand below


PEOPLE_TABLES = frozenset(
    {"entity", "attribute", "enrollment", "event", "note", "relationship", "owner"}
)


@contextmanager
def running_source(folder: Path, version: str) -> Iterator[Source]:
    """Run a source of *version* with the district's metadata."""
    app = create_app(
        folder / "source", district=True, superuser=Superuser(token=TOKEN), version=version
    )
    busy = Busy(app)
    with serve(busy) as url, Dhis2Client(url, Credentials(token=TOKEN), name="source") as client:
        yield Source(client, _inside(app), busy, Hands(datetime.now(UTC)))


def _inside(app: ASGIApp) -> Sandbox:
    sandbox: Sandbox = app._app.state.sandbox  # type: ignore[attr-defined]  # noqa: SLF001 - the front door's
    return sandbox
