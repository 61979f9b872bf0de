"""The mock: a server that takes a fixed time for a hundred people.

`python -m tracker_sync_bench.mock_server FOLDER SECONDS` prints its address and serves
the folder's material until it is ended. It speaks as DHIS2 2.42 does, and checks nothing:
for that there is the sandbox.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tracker_sync_bench.cores import keep_to, serving
from tracker_sync_bench.material import PEOPLE_A_PAGE, People, page_of, people_in
from tracker_sync_bench.work import MOST_IN_FLIGHT


_INFO = {
    "version": "2.42.4",
    "serverDate": "2026-11-24T12:00:00.000",
    "serverTimeZoneId": "Africa/Dakar",
    "systemId": "bench",
}


@dataclass(slots=True)
class Mock:
    """What the server answers, and how long it takes.

    Attributes:
        folder: Its material.
        people: Its people; nobody where it only lists.
        seconds: How long a page of `PEOPLE_A_PAGE` takes, however many pages are asked
            for at once. Fewer people take less, as of real servers (performance 4.3).
        in_flight: How many pages of people are under way.
        most_in_flight: How many there ever were.
    """

    folder: Path
    people: People | None
    seconds: float
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, query: Mapping[str, str]) -> bytes:
        """Return the answer to a request."""
        if path == "/api/system/info":
            return json.dumps(_INFO).encode()
        if path == MOST_IN_FLIGHT:
            return json.dumps(self.most_in_flight).encode()
        if self.people and ("enrollments[" in query["fields"] or "trackedEntities" in query):
            return self._people(self.people, query)
        return self._listed(path.rpartition("/")[2], query)

    def _people(self, people: People, query: Mapping[str, str]) -> bytes:
        began = time.monotonic()
        self._count(1)
        uids = query["trackedEntities"].split(",") if "trackedEntities" in query else []
        body = people.by_uid(uids) if uids else people.page(int(query["page"]))
        ready = began + self.seconds * (len(uids) or PEOPLE_A_PAGE) / PEOPLE_A_PAGE
        time.sleep(max(0, ready - time.monotonic()))
        self._count(-1)
        return body

    def _count(self, change: int) -> None:
        with self.lock:
            self.in_flight += change
            self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def _listed(self, kind: str, query: Mapping[str, str]) -> bytes:
        number = int(query["page"])
        page = self.folder / f"{kind}-{number}.json"
        return page.read_bytes() if page.is_file() else page_of([], kind, number, goes_on=False)


def handler_of(mock: Mock) -> type[BaseHTTPRequestHandler]:
    """Return what handles a connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes: 40 ms a request

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = mock.answer(url.path, dict(parse_qsl(url.query)))
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
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(Mock(folder, people, seconds)))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201  # what its parent reads
    server.serve_forever()


if __name__ == "__main__":
    main()
