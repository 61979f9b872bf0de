"""What a server said of a refusal stands in one file that few may read, and nowhere else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.importer import ImportReport, Ref, import_objects
from scripted_server import Reply, as_json, scripted
from tracker_sync.runs.reject_details import gather_details, keeping_details
from tracker_sync.workspace import Workspace


ERROR = {
    "trackerType": "EVENT",
    "uid": "xErkEhVILCo",
    "errorCode": "E1302",
    "message": "DataElement is not valid: canary",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, "demo", "manual__1")


def refusing() -> Reply:
    validation = {"errorReports": [ERROR, {**ERROR, "message": None}], "warningReports": []}
    return as_json({"status": "ERROR", "validationReport": validation}, 409)


def test_texts_of_a_slice_and_of_a_phase_are_gathered(workspace: Workspace) -> None:
    with scripted(lambda _: refusing()) as server, Dhis2Client(server.url) as client:
        for part in ("rufisque001", "second_pass"):
            with keeping_details(client, workspace, part), client.another() as thread:
                import_objects(thread, {"events": []})

    gather_details(workspace)

    rows = pq.read_table(workspace.run_rejects).to_pylist()
    assert [(row["slice"], row["text"]) for row in rows] == [
        ("rufisque001", "DataElement is not valid: canary"),
        ("rufisque001", ""),
        ("second_pass", "DataElement is not valid: canary"),
        ("second_pass", ""),
    ]
    assert {(row["kind"], row["uid"], row["code"]) for row in rows} == {
        ("EVENT", "xErkEhVILCo", "E1302")
    }
    for path in (workspace.run_rejects, workspace.rejects("rufisque001")):
        assert path.stat().st_mode & 0o077 == 0


def test_they_are_written_though_the_step_fails(workspace: Workspace) -> None:
    with (
        scripted(lambda _: refusing()) as server,
        Dhis2Client(server.url) as client,
        suppress(ZeroDivisionError),
        keeping_details(client, workspace, "rufisque001"),
    ):
        import_objects(client, {"events": []})
        raise ZeroDivisionError

    assert pq.read_table(workspace.rejects("rufisque001")).num_rows == 2


def test_a_run_without_refusals_has_a_file_without_rows(workspace: Workspace) -> None:
    gather_details(workspace)

    assert pq.read_table(workspace.run_rejects).num_rows == 0


def test_an_import_report_does_not_show_its_texts() -> None:
    ref = Ref("EVENT", "xErkEhVILCo")
    report = ImportReport(frozenset(), {ref: ("E1302",)}, {}, {ref: (("E1302", "canary"),)})

    assert "canary" not in repr(report)
