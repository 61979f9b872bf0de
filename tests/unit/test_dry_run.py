"""A dry run says what would be sent, by UID and field, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from builders import MODEL, NAME, NOTE, PROGRAM, WEIGHT, enrollment, event, page, person, trees
from dhis2_api.client import Dhis2Client
from scripted_server import Reply, Request, of_version, scripted
from tracker_sync.ledger import as_entries
from tracker_sync.loading.batch import load_batch
from tracker_sync.loading.dry_run import dry_run
from tracker_sync.outcome import Outcome
from tracker_sync.planning.plan import Past
from tracker_sync.sending.destination import Destination


NOTHING_KNOWN = Past({}, 1, MODEL)


def test_it_names_what_would_be_created_changed_and_cleared_and_sends_nothing(
    tmp_path: Path,
) -> None:
    theirs = [{"dataElement": WEIGHT, "value": "70"}, {"dataElement": NOTE, "value": "secret"}]
    there = person(enrollments=[enrollment(events=[event(dataValues=theirs)])])
    ours = [{"dataElement": WEIGHT, "value": "71"}]
    changed = event(status="COMPLETED", storedBy="registrar", dataValues=ours)
    people = [
        person(enrollments=[enrollment(events=[changed])]),
        person("person00002", enrollments=[]),
    ]

    def answer(request: Request) -> Reply:
        asked = request.query["trackedEntities"]
        return Reply(200, page(*([there] if there["trackedEntity"] in asked else [])))

    with (
        scripted(of_version("2.42.4", answer)) as server,
        Dhis2Client(server.url) as client,
    ):
        destination = Destination(client, (PROGRAM,), dry_run=True)
        ledger = dry_run(destination, [trees(*people)], NOTHING_KNOWN, tmp_path / "planned.parquet")

    lines = as_entries(ledger)
    rows = {row["uid"]: row for row in pq.read_table(tmp_path / "planned.parquet").to_pylist()}
    assert rows.keys() == {"event000001", "person00002"}
    assert rows["event000001"]["action"] == "changed"
    assert rows["event000001"]["fields"] == ["status", WEIGHT]
    assert rows["event000001"]["cleared"] == [NOTE]
    assert rows["person00002"]["action"] == "created"
    assert NAME in rows["person00002"]["fields"]
    assert b"secret" not in (tmp_path / "planned.parquet").read_bytes()
    held = {line.ref.uid: line.code for line in lines if line.outcome is Outcome.HELD}
    assert held == dict.fromkeys(rows, "SYNC_DRY_RUN")
    assert not any(line.sent for line in lines)
    assert {request.method for request in server.requests} == {"GET"}


def test_a_phase_that_loads_in_a_dry_run_sends_nothing_either() -> None:
    def nobody(request: Request) -> Reply:
        return Reply(200, page().replace(b"trackedEntities", request.path[13:].encode()))

    script = of_version("2.42.4", nobody)
    with scripted(script) as server, Dhis2Client(server.url) as client:
        destination = Destination(client, (PROGRAM,), dry_run=True)
        lines = load_batch(destination, trees(person()), NOTHING_KNOWN)

    assert [line.code for line in lines] == ["SYNC_DRY_RUN"] * 3
    assert {request.method for request in server.requests} == {"GET"}
