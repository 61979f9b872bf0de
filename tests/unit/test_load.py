"""Events without registration go from listing to ledger, and what did not come is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.export import Listing
from dhis2_api.reading import read_list
from planned import phases_find_nothing, planned
from servers import SENEGAL, SURVEILLANCE, grant, route, running
from tracker_sync.ledger import read_ledger, read_lines, write_ledger
from tracker_sync.loading.batch import Destination
from tracker_sync.metadata import synchronise
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import publish
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.unspoken import unspoken
from tracker_sync.servers import note_servers
from tracker_sync.staging.package import Staged
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.settle import settle
from tracker_sync.steps.transform import transform
from tracker_sync.workspace import Workspace


ROUTE = route(programs=(SURVEILLANCE,), metadata="ignore")
SLICE = f"{SURVEILLANCE}-{SENEGAL}"
POSITIVE = "QcHJN0e4qjm"  # an option of the compulsory result
NEVER_CAME, PURGED = "neverCame01", "purgedLong1"


@dataclass(frozen=True)
class Road:
    source: Dhis2Client
    destination: Dhis2Client
    folder: Path

    def uids(self) -> list[str]:
        cases = Listing("events", SURVEILLANCE, (SENEGAL,), None, 1_000)
        return [row["event"] for row in read_list(self.source, cases, ZoneInfo("UTC"))]

    def run(self, run_id: str, *others: str, unlisted: tuple[str, ...] = ()) -> dict[str, Any]:
        """Load all cases and *others*, and return the report of the run."""
        return self.loaded(run_id, self.bundles(run_id, *others, unlisted=unlisted))

    def bundles(self, run_id: str, *others: str, unlisted: tuple[str, ...] = ()) -> Staged:
        uids = [*self.uids(), *others, *unlisted]
        first = Workspace(self.folder, "demo", "manual__1")
        note_servers(first, self.source.url, self.destination.url)
        planned(
            self.folder,
            {uid: [SURVEILLANCE] for uid in uids},
            program=SURVEILLANCE,
            unlisted=unlisted,
            slice_id=SLICE,
        )
        workspace = replace(first, run_id=run_id)
        first.run.rename(workspace.run)
        model = synchronise(self.source, self.destination, ROUTE).model
        publish(workspace.model, model.to_json().encode())
        extracted = extract(self.source, ROUTE, workspace, SLICE, 1).package
        return transform(workspace, extracted).package

    def loaded(self, run_id: str, bundles: Staged) -> dict[str, Any]:
        workspace = Workspace(self.folder, "demo", run_id)
        (piece,) = read_run_plan(workspace.plan).slices
        there = Destination(self.destination, ROUTE.programs)
        load(there, ROUTE, workspace, piece, bundles)
        phases_find_nothing(workspace)
        return dict(settle(ROUTE, workspace).report)

    def change(self, day: str) -> str:
        """Move a case to another day at the source, and return its UID."""
        uid = min(self.uids())
        query = {"fields": "event,program,programStage,orgUnit,status,dataValues"}
        fields = self.source.get(f"/api/tracker/events/{uid}", query)
        changed = {"events": [{**fields, "occurredAt": day}]}
        self.source.post("/api/tracker", changed, {"async": "false"})
        return uid

    def arrived(self, uid: str) -> str:
        day: str = self.destination.get(f"/api/tracker/events/{uid}")["occurredAt"]
        return day[:10]


class Ahead(datetime):
    """The clock of a worker that is two days ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(days=2)


@pytest.fixture(params=["2.40.9", "2.43.1"])
def road(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    version = request.param
    with (
        running(tmp_path, "from", district=True, version=version) as source,
        running(tmp_path, "to", version=version) as first_session,
    ):
        synchronise(source, first_session, route(programs=(SURVEILLANCE,)))
        grant(first_session, SENEGAL)
        fresh = Credentials(token=f"d2p_{'to':x<32}")  # a session keeps the rights it began with
        with Dhis2Client(first_session.url, fresh, name="to") as destination:
            yield Road(source, destination, tmp_path / "staging")


def test_they_are_stored_once_and_the_next_run_sends_nothing(road: Road) -> None:
    first, second = road.run("one"), road.run("two")

    assert first["totals"]["created"] == first["kinds"]["EVENT"]["created"] == 60
    assert second["totals"]["unchanged"] == 60
    assert second["totals"]["sent"] == 0
    assert first["problems"] == second["problems"] == []
    ledger = pq.read_table(Workspace(road.folder, "demo", "one").ledger(SLICE))
    assert ledger["tracked_entity"].null_count == 60
    assert ledger["destination_updated_at"].null_count == 0


def test_one_that_was_listed_and_did_not_come_is_missing_and_one_purged_is_held(road: Road) -> None:
    report = road.run("one", NEVER_CAME, unlisted=(PURGED,))

    named = {item["uid"]: item for item in report["refusals"]}
    assert named.keys() == {NEVER_CAME, PURGED}
    assert {item["kind"] for item in named.values()} == {"EVENT"}
    assert {item["tracked_entity"] for item in named.values()} == {None}
    assert (named[NEVER_CAME]["outcome"], named[NEVER_CAME]["code"]) == (
        "missing",
        "SYNC_NOT_RETURNED",
    )
    assert (named[PURGED]["outcome"], named[PURGED]["code"]) == ("held", "SYNC_GONE_AT_SOURCE")
    assert report["totals"]["created"] == 60


def test_a_refusal_is_known_to_the_next_run_and_its_neighbours_are_stored(road: Road) -> None:
    road.destination.request("DELETE", f"/api/options/{POSITIVE}")

    first, second = road.run("one"), road.run("two")

    totals = first["totals"]
    assert totals["refused"] > 0
    assert totals["created"] == 60 - totals["refused"] > 0
    assert {(item["code"], item["known"]) for item in first["refusals"]} == {("E1125", False)}
    assert {(item["code"], item["known"]) for item in second["refusals"]} == {("E1125", True)}
    assert second["totals"]["refused"] == totals["refused"]
    assert second["totals"]["sent"] == 0
    assert second["problems"] == []


def test_a_clock_that_was_two_days_ahead_hides_nothing_that_comes_later(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as worker:
        worker.setattr("tracker_sync.steps.extract.datetime", Ahead)
        first = road.run("one")
    uid = road.change("2026-01-17")

    second = road.run("two")

    assert first["totals"]["created"] == 60
    assert (second["totals"]["changed"], second["totals"]["superseded"]) == (1, 0)
    assert road.arrived(uid) == "2026-01-17"


def test_an_old_package_that_is_cleared_after_a_newer_run_is_superseded(road: Road) -> None:
    old = road.bundles("one")
    uid = road.change("2026-01-17")
    newer = road.run("two")

    cleared = road.loaded("one", old)

    assert newer["totals"]["created"] == cleared["totals"]["superseded"] == 60
    assert cleared["totals"]["sent"] == 0
    assert road.arrived(uid) == "2026-01-17"


def test_what_was_read_and_stands_in_no_ledger_is_missing(road: Road) -> None:
    road.run("one")
    workspace = Workspace(road.folder, "demo", "one")
    lines = read_ledger(workspace.ledger(SLICE))
    write_ledger(workspace.ledger(SLICE), [line for line in lines if line != lines[7]])
    (piece,) = read_run_plan(workspace.plan).slices

    (found,) = unspoken(workspace, piece, read_lines(workspace.ledger(SLICE)))

    assert found == Entry(lines[7].ref, None, Outcome.MISSING, code="SYNC_NOT_IN_LEDGER")
    settlement = settle(ROUTE, workspace)
    assert settlement.report["totals"]["missing"] == 1
    assert settlement.accounted == {}
