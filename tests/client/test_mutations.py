"""A damaged answer is an error of ours, or right; never an exception of others, never empty."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from client.mutations import mutated, seeded
from client.replay import VERSIONS, Recorded, recorded
from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value, read_value
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import Dhis2Error
from dhis2_api.export import Listing
from dhis2_api.files import read_event_file
from dhis2_api.import_report import ImportReport
from dhis2_api.importer import ImportOptions, import_objects
from dhis2_api.jobs import JobPatience
from dhis2_api.legacy import read_legacy_list
from dhis2_api.ownership import read_owner
from dhis2_api.patience import Patience
from dhis2_api.reading import read_by_uid, read_list, read_relationships
from dhis2_api.system import read_server
from listed import list_changes
from scripted_server import Reply, Request, scripted
from tracker_sync.reading.listing import Source
from tracker_sync.reading.people import read_people


DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
ROUNDS = 100_000 if DEEP else 2_000

ZONE = ZoneInfo("Etc/UTC")
UIDS = ["tIazUHAG6ZW", "mGPEjOa9jIO", "RnnSGUz2gGn"]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AT_ONCE = ImportOptions(job=JobPatience(ends=0, appears=0, first=0))

Use = Callable[[Dhis2Client], Any]


def listing(kind: Any = "trackedEntities", fields: str = "") -> Listing:
    return Listing(kind, "xsd8pFBm2w1", ("GwTj6qZdrlX",), LONG_AGO, 500, fields=fields)


def rows_of(use: Use) -> Use:
    return lambda client: len(list(use(client)))


# What is read -> the recorded answer it reads, and how; the result of a use is what counts.
READS: dict[str, tuple[str, Use]] = {
    "a list": ("list-te-updated-large-page", rows_of(lambda c: read_list(c, listing(), ZONE))),
    "events": (
        "list-events-updated",
        rows_of(lambda c: read_list(c, listing("events", "*"), ZONE)),
    ),
    "a run's listing": (
        "list-te-updated-large-page",
        lambda c: list_changes(Source(c, c.dialect, ZONE), [listing()]).rows.num_rows,
    ),
    "people": (
        "export-te-by-uid-list-no-program",
        rows_of(lambda c: read_by_uid(c, "trackedEntities", UIDS, "*")),
    ),
    "people of a run": (
        "export-full-HIV-1",
        lambda c: sum(len(people.rows) for people in read_people(c, UIDS, 300)),
    ),
    "relationships": (
        "export-relationships-of-a-te",
        rows_of(lambda c: read_relationships(c, "trackedEntity", "g2mJRhGpsZs")),
    ),
    "a key": ("datastore-read", lambda c: type(read_value(c, "a", "b")) is dict),
}
OTHERS: dict[str, tuple[str, Use]] = {
    "an owner": ("owner-after", lambda c: read_owner(c, UIDS[1], "xsd8pFBm2w1")),
    "the server": ("system-info", read_server),
    "a lock": ("datastore-create-again", lambda c: create_value(c, "a", "b", {})),
    "a job": ("async-import", lambda c: import_objects(c, {}, AT_ONCE)),
    "a file": ("file-resource", lambda c: read_event_file(c, "a", "b", "c")),
}
LEGACY: tuple[str, Use] = (
    "legacy-teis-total",
    rows_of(lambda c: read_legacy_list(c, listing(fields="trackedEntityInstance"), ZONE)),
)
REPORTS = ["mixed-atomic-object", "mixed-atomic-all", "notes-sent-again", "delete-event-again"]


class Damaged:
    """A server that answers everything but its version with one damaged answer."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.reply = Reply(200, b"")
        self.whole = recorded(version)["system-info"].reply

    def answer(self, request: Request) -> Reply:
        version_asked = request.path == "/api/system/info"
        return self.whole if version_asked else self._paged(request)

    def _paged(self, request: Request) -> Reply:
        number = request.query.get("page", "1")
        return self.reply if number == "1" else Reply(200, self._beyond(number).encode())

    def _beyond(self, number: str) -> str:
        dialect = dialect_of(self.version)
        flat = f'"page": {number}, "pageCount": 1'
        name = dialect.rows or "trackedEntities"
        rows = ", ".join(f'"{each}": []' for each in (name, "events", "relationships"))
        return f'{{"pager": {{{flat}}}, {flat}, {rows}, "trackedEntityInstances": []}}'


def damaged(exchange: Recorded, random: Random) -> Reply:
    whole = exchange.reply
    body = whole.body.replace(b'"pageSize"', b'"pageCount": 1, "pageSize"')
    return Reply(whole.status, mutated(body, random), whole.kind)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_damaged_list_is_never_taken_for_an_empty_one(version: str) -> None:
    random, server = seeded(version), Damaged(version)
    reads = READS | ({"legacy": LEGACY} if dialect_of(version).legacy else {})
    seen = 0
    with scripted(server.answer) as running, client_of(running.url) as client:
        for _ in range(ROUNDS // 8):
            name, (answer, use) = random.choice([*reads.items()])
            server.reply = whole = damaged_not(recorded(version)[answer])
            right = use(client)
            server.reply = damaged(recorded(version)[answer], random)
            found = outcome(use, client)
            if says_nothing(server.reply.body):
                continue  # an empty list as any server gives it: nobody could tell
            assert found is None or found == right, (name, server.reply.body)
            seen += found is None
            assert whole.body
            running.requests.clear()
    assert seen > ROUNDS // 32


def damaged_not(exchange: Recorded) -> Reply:
    whole = exchange.reply
    body = whole.body.replace(b'"pageSize"', b'"pageCount": 1, "pageSize"')
    return Reply(whole.status, body, whole.kind)


def says_nothing(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return isinstance(answer, dict) and [] in answer.values()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_damaged_report_never_makes_a_success(version: str) -> None:
    random = seeded(version)
    replies: list[Reply] = []
    with scripted(lambda _: replies[-1]) as running, client_of(running.url) as client:
        for _ in range(ROUNDS // 8):
            exchange = recorded(version)[random.choice(REPORTS)]
            replies[:] = [exchange.reply]
            right = import_objects(client, {})
            replies[:] = [damaged(exchange, random)]
            found: ImportReport | None = outcome(lambda c: import_objects(c, {}), client)
            sent = right.stored | right.refused.keys()
            stored = found.stored & sent if found else frozenset()
            assert stored <= right.stored, replies[0].body
            running.requests.clear()


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_else_that_is_damaged_raises_what_nobody_expects(version: str) -> None:
    random = seeded(version)
    replies: list[Reply] = []
    with scripted(lambda _: replies[-1]) as running:
        for _ in range(ROUNDS // 16):
            answer, use = random.choice([*OTHERS.values()])
            replies[:] = [damaged(recorded(version)[answer], random)]
            with client_of(running.url) as client:
                outcome(use, client)
            running.requests.clear()


def client_of(url: str) -> Dhis2Client:
    return Dhis2Client(url, patience=Patience(budget=0))


def outcome(use: Use, client: Dhis2Client) -> Any:
    """Return what a use gave, or nothing for an error of ours; any other ends the test."""
    try:
        return use(client)
    except Dhis2Error:
        return None
