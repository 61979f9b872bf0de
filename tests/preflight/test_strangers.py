"""What is said of a server that describes itself in some other way?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from dhis2_api.client import Dhis2Client
from servers import SENEGAL, route
from tracker_sync.preflight import Preflight, preflight


@contextmanager
def server(name: str, **said: Any) -> Iterator[Dhis2Client]:
    """Run a server that says so of itself: `/api/system/info`, `/api/me` and one org unit."""
    now = datetime.now(UTC) + said.pop("ahead", timedelta())
    me = {"id": "M5zQapPyTZI", "authorities": said.pop("authorities", ["ALL"])}
    roots = [{"id": SENEGAL}]
    answers = {
        "/api/system/info": {
            "version": "2.42.4",
            "serverDate": now.replace(tzinfo=None).isoformat(timespec="milliseconds"),
            "serverTimeZoneId": "UTC",
        }
        | said,
        "/api/me": me | {"organisationUnits": roots, "teiSearchOrganisationUnits": roots},
        "/api/organisationUnits": {
            "organisationUnits": [{"id": SENEGAL, "name": "Sénégal", "path": f"/{SENEGAL}"}]
        },
    }

    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answers[self.path.partition("?")[0]]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as told:
        Thread(target=told.serve_forever, daemon=True).start()
        with Dhis2Client(f"http://127.0.0.1:{told.server_port}", name=name) as client:
            yield client
        told.shutdown()


def between(ours: dict[str, Any], theirs: dict[str, Any]) -> Preflight:
    with server("from", **ours) as source, server("to", **theirs) as destination:
        return preflight(source, destination, route())


def test_servers_of_a_known_version_have_no_finding() -> None:
    assert between({}, {}).findings == ()


def test_an_unknown_version_blocks_on_either_side() -> None:
    findings = between({"version": "2.30"}, {"version": "3.0-SNAPSHOT"}).findings

    assert [finding.code for finding in findings] == ["version_unsupported"] * 2
    assert all(finding.blocking for finding in findings)
    assert findings[0].text.startswith("from: DHIS2 2.30 is not supported")
    assert findings[1].text.startswith("to: DHIS2 3.0-SNAPSHOT")
    assert all("use such a server" in finding.remedy for finding in findings)


def test_two_addresses_of_one_server_block() -> None:
    same = {"systemId": "4f6c2f0e-0000-4000-8000-000000000001"}

    (finding,) = between(same, same).findings

    assert (finding.code, finding.blocking) == ("route_to_itself", True)
    assert "the same systemId" in finding.text


def test_clocks_apart_are_told_and_do_not_block() -> None:
    (finding,) = between({}, {"ahead": timedelta(minutes=12)}).findings

    assert (finding.code, finding.blocking) == ("clocks_differ", False)
    assert "12 minutes" in finding.text


def test_a_source_account_that_may_not_export_metadata_is_told_so() -> None:
    (finding,) = between({"authorities": ["F_TEI_CASCADE_DELETE"]}, {"authorities": []}).findings

    assert (finding.code, finding.blocking) == ("metadata_export_missing", False)
    assert "F_METADATA_EXPORT" in finding.remedy
