"""The mock destination: a server that takes a fixed time for an import of a hundred people.

`python -m tracker_sync_bench.mock_destination FOLDER SECONDS` prints its address. It holds the
folder's people, or nobody where there are none, and whatever it is sent; and checks nothing.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tracker_sync_bench.cores import keep_to, serving
from tracker_sync_bench.material import PEOPLE_A_PAGE, People, page_of, people_in
from tracker_sync_bench.population import as_bytes
from tracker_sync_bench.work import MOST_IN_FLIGHT


_INFO = b'{"version":"2.42.4"}'
_NOW = "2026-11-24T12:00:00.000"
_KINDS = {
    "trackedEntities": ("TRACKED_ENTITY", "trackedEntity"),
    "enrollments": ("ENROLLMENT", "enrollment"),
    "events": ("EVENT", "event"),
}


@dataclass(slots=True)
class MockDestination:
    """What the server holds, and how long it takes.

    Attributes:
        people: Whom it held from the beginning.
        seconds: How long an import of `PEOPLE_A_PAGE` people takes.
        stamps: Whom it was sent -> the stamps of all below.
        in_flight: How many imports are under way.
        most_in_flight: How many there ever were.
    """

    people: People | None
    seconds: float
    stamps: dict[str, bytes] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, path: str, query: Mapping[str, str]) -> bytes:
        """Return the answer to a GET."""
        if path == "/api/system/info":
            return _INFO
        if path == MOST_IN_FLIGHT:
            return json.dumps(self.most_in_flight).encode()
        if "enrollments" in query:  # nobody has those that are new
            return page_of([], "enrollments", 1, goes_on=False)
        uids = query["trackedEntities"].split(",")
        if self.people:
            return self.people.by_uid(uids)
        sent = [self.stamps[uid] for uid in uids if uid in self.stamps]
        return page_of(sent, "trackedEntities", 1, goes_on=False)

    def write(self, body: bytes) -> bytes:
        """Return the answer to an import."""
        began = time.monotonic()
        self._count(1)
        lists = json.loads(body)
        self._keep(lists)
        reports = {
            kind: {"objectReports": [{"trackerType": kind, "uid": row[key]} for row in lists[name]]}
            for name, (kind, key) in _KINDS.items()
            if name in lists
        }
        report = {"status": "OK", "validationReport": {"errorReports": [], "warningReports": []}}
        answer = as_bytes(report | {"bundleReport": {"typeReportMap": reports}})
        people = len(lists.get("trackedEntities", ()))
        time.sleep(max(0, began + self.seconds * people / PEOPLE_A_PAGE - time.monotonic()))
        self._count(-1)
        return answer

    def _keep(self, lists: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        people: dict[str, list[Any]] = {
            row["trackedEntity"]: [] for row in lists["trackedEntities"]
        }
        events: dict[str, list[Any]] = {}
        for row in lists.get("enrollments", ()):
            below = events.setdefault(row["enrollment"], [])
            stamped = {"enrollment": row["enrollment"], "updatedAt": _NOW, "events": below}
            people[row["trackedEntity"]].append(stamped)
        for row in lists.get("events", ()):
            events[row["enrollment"]].append({"event": row["event"], "updatedAt": _NOW})
        for uid, enrollments in people.items():
            stamped = {"trackedEntity": uid, "updatedAt": _NOW, "enrollments": enrollments}
            self.stamps[uid] = as_bytes(stamped)

    def _count(self, change: int) -> None:
        with self.lock:
            self.in_flight += change
            self.most_in_flight = max(self.most_in_flight, self.in_flight)


def handler_of(mock: MockDestination) -> type[BaseHTTPRequestHandler]:
    """Return what handles a connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes: 40 ms a request

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            self._answer(mock.read(url.path, dict(parse_qsl(url.query))))

        def do_POST(self) -> None:
            self._answer(mock.write(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a line a request is work."""

    return Handler


def main() -> None:
    """Serve until ended."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    keep_to(serving())
    people = people_in(folder) if (folder / "people.json").exists() else None
    handler = handler_of(MockDestination(people, seconds))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201  # what its parent reads
    server.serve_forever()


if __name__ == "__main__":
    main()
