"""Whole runs of the DAG between two servers on sockets; the tests look at the destination."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dhis2_airflow import slice_operators
from dhis2_api.errors import PermanentError
from e2e.sync import ROUTE, Sync, states, stored_watermarks
from servers import running
from tracker_sync.loading.batch import Destination
from tracker_sync.planning.objects import trees_of
from tracker_sync.routes import load_route
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.staging.package import open_package, staged
from tracker_sync.steps.load import load
from tracker_sync.workspace import Workspace
from tracker_sync_demo.compare import compare
from tracker_sync_demo.edits import edit


PROGRAMS = ("xsd8pFBm2w1", "m8nERzkN6j4", "pjYwBlP46Rf", "fAw4hObwxfo")


def test_everything_at_the_source_reaches_the_destination(sync: Sync) -> None:
    run = sync.run()

    assert run.state == "success"
    assert set(states(run).values()) == {"success"}
    found = compare(sync.source, sync.destination, PROGRAMS)
    assert found.records > 1_000
    assert found.differing == frozenset()
    report = sync.report()
    totals, owners = report["totals"], report["kinds"]["OWNER"]["unchanged"]
    assert report["kinds"]["RELATIONSHIP"]["created"] == 30
    assert totals["read"] == totals["created"] + owners == sync.ledger().num_rows
    (told,) = sync.staging.glob(f"{sync.name}/runs/*/metadata.json")
    assert {row["kind"] for row in json.loads(told.read_bytes())["objects"]} == {"new"}


def test_a_second_run_sends_nothing_and_moves_no_stamp(sync: Sync) -> None:
    sync.run()
    before = stamps(sync)
    send_again_unchanged(sync)

    run = sync.run()

    assert run.state == "success"
    assert sync.report()["totals"]["read"] > 0
    assert sync.report()["totals"]["sent"] == 0
    assert stamps(sync) == before


def test_a_refusal_is_red_once_and_never_blocks_its_neighbours(sync: Sync) -> None:
    sync.run()
    edits = edit(sync.source)

    red = sync.run()

    assert states(red) == {**dict.fromkeys(states(red), "success"), "settle": "failed"}
    refused = sync.report()["refusals"]
    assert {item["uid"] for item in refused} == edits.refused
    assert refused[0]["code"] == "E1125"
    assert "option" in refused[0]["do"]
    assert {uid for _, uid in differing(sync)} == edits.refused

    green = sync.run()

    assert green.state == "success"
    assert sync.report()["totals"]["sent"] == 0
    assert [item["known"] for item in sync.report()["refusals"]] == [True]


def test_a_refusal_the_route_only_warns_of_is_green_and_named(sync: Sync) -> None:
    sync.write_route(ROUTE + "refused: warn\n")
    sync.run()
    edits = edit(sync.source)

    run = sync.run()

    assert run.state == "success"
    assert {item["uid"] for item in sync.report()["refusals"]} == edits.refused


def test_a_slice_that_fails_is_red_and_the_next_scheduled_run_repairs_it(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.run()
    edits = edit(sync.source)
    (victim,) = edits.created
    before = stored_watermarks(sync)
    assert len(before) == len(PROGRAMS)
    with monkeypatch.context() as broken:
        broken.setattr(slice_operators, "load", fails_for(victim))
        red = sync.run()

    assert states(red)["slice.load"] == "failed"
    assert states(red)["settle"] == "failed"
    assert sync.report()["totals"]["missing"] > 0
    assert any("SYNC_NO_LEDGER" in problem for problem in sync.report()["problems"])
    assert victim in {uid for _, uid in differing(sync)}
    assert stored_watermarks(sync) == before

    repaired = sync.run(scheduled=True)

    assert states(repaired)["slice.load"] == "success"
    assert min(stored_watermarks(sync).values()) >= min(before.values())
    assert {uid for _, uid in differing(sync)} == edits.refused


def test_an_old_runs_load_cleared_after_a_newer_run_puts_nothing_old_back(sync: Sync) -> None:
    sync.run()
    first = Workspace(sync.staging, sync.name, sync.report()["run_id"])
    edit(sync.source)
    sync.run()
    held = differing(sync)
    assert len(held) == 1  # the refused one

    reports = [load_again(sync, first, piece) for piece in read_run_plan(first.plan).slices]

    assert sum(kind["superseded"] for report in reports for kind in report["kinds"].values()) > 0
    assert differing(sync) == held


def test_another_destination_gets_everything_though_the_route_has_a_watermark(
    sync: Sync, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.run()
    with running(tmp_path, "other") as other:
        token = {"token": f"d2p_{'other':x<32}"}
        connection = {"conn_type": "http", "host": other.url, "extra": token}
        monkeypatch.setenv("AIRFLOW_CONN_TO", json.dumps(connection))

        run = sync.run()

        assert run.state == "success"
        assert compare(sync.source, other, PROGRAMS).differing == frozenset()


def test_no_canary_is_in_any_log_xcom_error_or_file_name(
    sync: Sync, caplog: pytest.LogCaptureFixture
) -> None:
    sync.run()
    canaries = plant(sync)

    red = sync.run()

    assert states(red)["settle"] == "failed"
    assert {item["tracked_entity"] for item in sync.report()["refusals"]} == {"canaryPer01"}
    assert "E1125" in {item["code"] for item in sync.report()["refusals"]}
    home = Path(os.environ["AIRFLOW_HOME"])
    texts = [read_apart(files_of(home)), caplog.text, json.dumps(sync.report())]
    texts += map(str, sync.staging.rglob("*"))
    assert any(sync.dag_id in text for text in texts)
    assert not [canary for canary in canaries for text in texts if canary in text]


def plant(sync: Sync) -> list[str]:
    """Give the source a person full of canaries, whom the destination must refuse."""
    code, first, last, national_id = "CanaryCode7", "Canarielle", "Serinsky", "77770000-CANARY"
    option = {"id": "canaryOpt01", "code": code, "name": "x", "optionSet": {"id": "AcCtZkAvAsC"}}
    sync.source.post("/api/metadata", {"options": [option]})
    named = {"igrbHRNTbIn": first, "XlaUz6AYQa9": last, "zzlC4ArMYGX": code}
    place = {"orgUnit": "zxGcXd2kvTV"}
    enrollment = {
        **place,
        "enrollment": "canaryEnr01",
        "program": PROGRAMS[0],
        "status": "ACTIVE",
        "enrolledAt": "2026-03-25",
        "occurredAt": "2026-03-01",
        "attributes": [{"attribute": "kd7nkrMgEfm", "value": national_id}],
    }
    person = {
        **place,
        "trackedEntity": "canaryPer01",
        "trackedEntityType": "Xzm8JdvcK5r",
        "attributes": [{"attribute": uid, "value": value} for uid, value in named.items()],
        "enrollments": [enrollment],
    }
    options = {"async": "false", "atomicMode": "ALL"}
    sync.source.post("/api/tracker", {"trackedEntities": [person]}, options)
    sync.source.request("DELETE", "/api/options/canaryOpt01")
    return [code, first, last, national_id]


def files_of(home: Path) -> list[Path]:
    found = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".cfg"]
    assert any(path.name == "airflow.db" for path in found)
    return found


def read_apart(paths: list[Path]) -> str:
    """Read files in a process of its own.

    Closing a file drops every POSIX lock that this process has on it. Were that file Airflow's
    SQLite database, another process could take itself for the last one, remove the write-ahead
    log, and from then on see another database than this one.
    """
    command = ["cat", "--", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stdout.decode(errors="replace")


def load_again(sync: Sync, run: Workspace, piece: Slice) -> dict[str, Any]:
    """Do what clearing a slice's `load` does."""
    route = load_route(sync.routes / f"{sync.name}.yaml")
    bundles = staged(run.package(piece.slice, 1) / "bundles")
    return load(Destination(sync.destination, PROGRAMS), route, run, piece, bundles)


def fails_for(victim: str) -> Callable[..., dict[str, Any]]:
    """Return the step `load` as it is, but for the slice that holds *victim*."""

    def load_or_fail(*arguments: Any) -> dict[str, Any]:
        bundles = open_package(arguments[-1])
        trees = (tree for group in bundles.row_groups() for tree in trees_of(group["bundles"]))
        if any(victim == item.ref.uid for tree in trees for item in tree.objects):
            raise PermanentError("the slice was broken by its test")
        return load(*arguments)

    return load_or_fail


def send_again_unchanged(sync: Sync) -> None:
    """Make the source stamp people anew without changing them (measured: Clock)."""
    fields = "trackedEntity,trackedEntityType,orgUnit,geometry"
    listed = sync.source.get(
        "/api/tracker/trackedEntities",
        {"program": PROGRAMS[0], "orgUnitMode": "ACCESSIBLE", "fields": fields, "pageSize": 10},
    )
    assert listed["trackedEntities"]
    sync.source.post(
        "/api/tracker", {"trackedEntities": listed["trackedEntities"]}, {"async": "false"}
    )


def stamps(sync: Sync) -> dict[str, str]:
    answer: dict[str, Any] = sync.destination.get(
        "/api/tracker/trackedEntities",
        {
            "program": PROGRAMS[0],
            "orgUnitMode": "ACCESSIBLE",
            "fields": "trackedEntity,updatedAt",
            "pageSize": 1000,
        },
    )
    found = {row["trackedEntity"]: row["updatedAt"] for row in answer["trackedEntities"]}
    assert found
    return found


def differing(sync: Sync) -> frozenset[tuple[str, str]]:
    return compare(sync.source, sync.destination, PROGRAMS).differing
