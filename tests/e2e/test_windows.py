"""Whatever befalls the nights of a route, both servers end equal and the watermark right."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest
from airflow.models.asset import AssetModel
from airflow.models.asset_state_store import AssetStateStoreModel
from airflow.utils.session import create_session

from dhis2_airflow import settings, slice_operators
from dhis2_api.data_store import delete_value, read_keys
from dhis2_api.errors import PermanentError
from e2e.nights import Nights, World, night, running_world
from e2e.sync import Start, Sync, states
from servers import HIV, MATERNAL
from tracker_sync.leases.holder import Holder
from tracker_sync.leases.lease import HeldByAnother, lease_of
from tracker_sync.loading.batch import Destination
from tracker_sync.routes import load_route
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.staging.package import staged
from tracker_sync.steps.load import load
from tracker_sync.windows.checkpoint import NAMESPACE, read_checkpoint, write_checkpoint
from tracker_sync.workspace import Workspace


# Health posts with three people or more in the HIV program alone.
POSTS = cycle(
    [
        *("YNKvv6DukSo", "MkNVRlBHqHo", "CjImfzj9QsL", "oplBQeD3cZb"),
        *("PosC0ZL4tPc", "RPIeQRab7JG", "tW15x95bXfH"),
    ]
)
NUMBERS = count(1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def nights(world: World, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A route of its own, which has copied everything in the night 0."""
    folder = world.folder / f"test-{next(NUMBERS)}"
    folder.mkdir()
    name = folder.name.replace("-", "_")
    sync = Sync(name, world.source, world.destination, folder / "staging", folder / "routes")
    monkeypatch.setenv("TRACKER_SYNC_ROUTES", str(sync.routes))
    monkeypatch.setenv("TRACKER_SYNC_STAGING", str(sync.staging))
    for client in (world.source, world.destination):
        extra = {"token": f"d2p_{client.name:x<32}"}
        connection = {"conn_type": "http", "host": client.url, "extra": extra}
        monkeypatch.setenv(f"AIRFLOW_CONN_{client.name.upper()}", json.dumps(connection))
    nights = Nights(world, sync, next(POSTS))
    nights.write_route(HIV)
    nights.nightly(0)
    assert nights.equal()
    assert nights.marks() == {night(0)}
    return nights


def test_the_same_interval_twice_sends_nothing_and_moves_nothing(nights: Nights) -> None:
    nights.rename(nights.somebody()[0], "Ndèye", night(0, minutes=600))
    nights.nightly(1)
    assert nights.sync.report()["totals"]["sent"] > 0

    nights.nightly(1)

    assert nights.sync.report()["totals"]["sent"] == 0
    assert nights.equal()
    assert nights.marks() == {night(1)}


@pytest.mark.parametrize("marked", ["slice.load", "settle"])
def test_a_task_marked_as_success_accounts_for_nothing(nights: Nights, marked: str) -> None:
    nights.rename(nights.somebody()[0], "Mariama", night(0, minutes=600))

    nights.nightly(1, marked=marked)

    assert nights.marks() == {night(0)}
    nights.nightly(2)
    assert nights.equal()
    assert nights.marks() == {night(2)}


def test_a_failed_night_is_repaired_by_the_next_one(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = nights.somebody()
    nights.rename(first, "Astou", night(0, minutes=600))
    with monkeypatch.context() as broken:
        broken.setattr(slice_operators, "load", fails)
        red = nights.nightly(1)
    assert states(red)["settle"] == "failed"
    assert nights.marks() == {night(0)}
    nights.rename(second, "Khady", night(1, minutes=600))

    nights.nightly(2)

    assert nights.equal()
    assert nights.marks() == {night(2)}


def test_two_missed_nights_are_read_by_the_third(nights: Nights) -> None:
    first, second, *_ = nights.somebody()
    nights.rename(first, "Sokhna", night(0, minutes=600))
    nights.rename(second, "Bineta", night(1, minutes=600))

    nights.nightly(3)

    assert nights.sync.report()["windows"][HIV]["start"] == night(0).isoformat()
    assert nights.equal()
    assert nights.marks() == {night(3)}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["forwards", "backwards"])
def test_a_backfill_beside_the_nightly_run_moves_no_watermark(
    nights: Nights, order: tuple[int, int]
) -> None:
    first, second, third, *_ = nights.somebody()
    for number, person in enumerate((first, second, third)):
        nights.rename(person, f"Awa {number}", night(number, minutes=600))
    nights.world.set_clocks(night(3, minutes=1))

    filled = [nights.backfill(number) for number in order]
    between = nights.marks()
    nights.nightly(3)

    assert [run.state for run in filled] == ["success", "success"]
    assert between == {night(0)}
    assert nights.sync.report()["totals"]["sent"] == 0  # what is newer came with the backfill
    assert nights.equal()
    assert nights.marks() == {night(3)}


def test_a_backfill_of_what_is_accounted_for_reads_its_own_days_alone(nights: Nights) -> None:
    first, second, *_ = nights.somebody()
    nights.rename(first, "Coumba", night(0, minutes=600))
    nights.rename(second, "Penda", night(1, minutes=600))
    nights.nightly(2)

    nights.backfill(1)

    assert nights.sync.report()["totals"]["sent"] == 0
    assert {row["uid"] for row in nights.sync.ledger().to_pylist()} >= {first}
    assert second not in {row["uid"] for row in nights.sync.ledger().to_pylist()}
    assert nights.marks() == {night(2)}


def test_a_program_added_to_a_route_is_read_from_the_beginning(nights: Nights) -> None:
    nights.write_route(HIV, MATERNAL)

    nights.nightly(1)

    windows = nights.sync.report()["windows"]
    assert (windows[HIV]["start"], windows[MATERNAL]["start"]) == (night(0).isoformat(), None)
    assert nights.equal()
    assert nights.equal(MATERNAL)
    assert nights.marks() == {night(1)}


def test_a_lost_state_is_made_good_by_comparing(nights: Nights) -> None:
    nights.rename(nights.somebody()[0], "Fatou", night(0, minutes=600))
    shutil.rmtree(nights.sync.staging / nights.sync.name / "state")

    nights.nightly(1)

    totals = nights.sync.report()["totals"]
    assert 0 < totals["sent"] < totals["read"]
    assert nights.equal()
    assert nights.marks() == {night(1)}


@pytest.mark.parametrize("lost", ["airflow", "destination"])
def test_a_watermark_lost_on_either_side_means_a_baseline(nights: Nights, lost: str) -> None:
    nights.rename(nights.somebody()[0], "Aïssatou", night(0, minutes=600))
    if lost == "airflow":
        nights.lose_watermarks()
    else:
        delete_value(nights.sync.destination, NAMESPACE, f"watermarks-{nights.sync.name}")

    nights.nightly(1)

    assert nights.sync.report()["windows"][HIV]["start"] is None
    totals = nights.sync.report()["totals"]
    assert 0 < totals["sent"] < totals["read"]
    assert nights.equal()
    assert nights.marks() == {night(1)}


def test_a_destination_that_was_restored_rewinds_itself(nights: Nights) -> None:
    kept = read_checkpoint(nights.sync.destination, nights.sync.name)
    person = nights.somebody()[0]
    before = nights.people(nights.sync.destination)[person]
    nights.rename(person, "Rokhaya", night(0, minutes=600))
    nights.nightly(1)
    nights.nightly(2)
    assert nights.people(nights.sync.destination)[person] != before
    put_back(nights, before)
    write_checkpoint(nights.sync.destination, nights.sync.name, kept)

    nights.nightly(3)

    assert nights.sync.report()["windows"][HIV]["start"] == night(0).isoformat()
    assert nights.equal()
    assert nights.marks() == {night(3)}


def test_a_watermark_in_the_future_hides_no_failed_night(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights.nightly(9)
    nights.rename(nights.somebody()[0], "Yacine", night(2, minutes=600))
    with monkeypatch.context() as broken:
        broken.setattr(slice_operators, "load", fails)
        nights.nightly(3)
    assert nights.marks() == set()

    nights.nightly(4)

    assert nights.marks() == {night(4)}
    assert nights.equal()


@pytest.mark.parametrize("minutes", [4, 360])
def test_what_changed_after_the_sources_clock_was_set_back_is_read(
    nights: Nights, caplog: pytest.LogCaptureFixture, minutes: int
) -> None:
    fall = timedelta(minutes=minutes)
    nights.write_route(HIV, reading="{overlap_minutes: 0}")
    with nights.world.source_behind(fall):
        nights.rename(nights.somebody()[0], "Dior", night(0, minutes=3))

        nights.nightly(1)

        assert nights.equal()
        assert nights.marks() == {min(night(1), night(1, minutes=3) - fall)}
        told = "fallen behind the destination's by 6:00:00" in caplog.text
        assert told == (minutes == 360)
        caplog.clear()
        nights.nightly(2)
    assert "fallen behind" not in caplog.text


@pytest.mark.parametrize("came_back", [True, False], ids=["older copy", "lost"])
def test_a_refusal_is_met_again_though_the_state_forgot_it(
    nights: Nights, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, came_back: bool
) -> None:
    person, state = nights.somebody()[0], nights.state()
    shutil.copytree(state, tmp_path / "copy")
    nights.make_refused(person, night(0, minutes=600))
    nights.nightly(1)
    assert {item["tracked_entity"] for item in nights.sync.report()["refusals"]} == {person}
    assert nights.marks() == {night(1)}
    shutil.rmtree(state)
    if came_back:
        shutil.copytree(tmp_path / "copy", state)

    nights.nightly(2)

    assert "does not remember what the last run did" in caplog.text
    assert {item["tracked_entity"] for item in nights.sync.report()["refusals"]} == {person}
    assert nights.marks() == {night(2)}
    nights.nightly(3)
    assert nights.sync.report()["windows"][HIV]["start"] == night(2).isoformat()
    assert {item["known"] for item in nights.sync.report()["refusals"]} == {True}
    nights.make_right(person, night(3, minutes=600))
    nights.nightly(4)
    assert nights.equal()


def test_what_airflow_keeps_and_is_no_watermark_is_left_for_a_person(
    nights: Nights, caplog: pytest.LogCaptureFixture
) -> None:
    with create_session() as session:
        asset = session.query(AssetModel).filter_by(name=nights.sync.dag_id).one()
        kept = session.query(AssetStateStoreModel).filter_by(asset_id=asset.id).one()
        kept.value = json.dumps({"key": "soon"})

    red = nights.nightly(1)

    assert states(red)["plan_slices"] == "failed"
    assert "watermark_command import" in caplog.text


def test_a_load_of_three_days_ago_that_is_cleared_puts_nothing_old_back(nights: Nights) -> None:
    person = nights.somebody()[0]
    nights.rename(person, "Old", night(0, minutes=600))
    old = nights.nightly(1)
    nights.rename(person, "New", night(1, minutes=600))
    nights.nightly(2)
    nights.nightly(4)
    done = old_report(nights, old.run_id)

    nights.sync.run_again(old, "slice.load", "settle")

    assert old_report(nights, old.run_id) != done
    assert nights.equal()
    assert nights.marks() == {night(4)}
    nights.nightly(5)  # the lease was given back


def test_a_run_by_hand_reads_what_it_was_asked_for(nights: Nights) -> None:
    nights.rename(nights.somebody()[0], "Seynabou", night(0, minutes=600))
    nights.world.set_clocks(night(2))
    span = {"from": night(0).isoformat(), "to": night(1).isoformat()}

    nights.sync.run(Start(dated=False, conf=span))

    assert nights.equal()
    assert nights.marks() == {night(1)}
    misread = nights.sync.run(Start(dated=False, conf={"from": "yesterday"}))
    assert states(misread)["preflight"] == "failed"


def test_a_run_without_an_interval_reads_everything_only_if_that_is_meant(nights: Nights) -> None:
    nights.lose_watermarks()

    refused = nights.sync.run(Start(dated=False))

    assert states(refused)["plan_slices"] == "failed"
    nights.write_route(HIV, baseline="allow")
    assert nights.sync.run(Start(dated=False)).state == "success"


def test_a_run_waits_while_another_holds_the_lease(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nights.world.set_clocks(night(1))
    monkeypatch.setitem(settings.LEASE_SETTINGS, "poke_interval", timedelta(seconds=2))
    route = load_route(nights.sync.routes / f"{nights.sync.name}.yaml")
    with nights.sync.destination.another() as client:
        other = lease_of(client, route, Holder("backfill__other", "o" * 32))
        other.take()
        done = threading.Timer(6, other.release)
        done.start()

        run = nights.nightly(1)

        done.join()
    assert run.state == "success"
    assert "waiting for run backfill__other" in capfd.readouterr().out
    keys = [key for key in read_keys(nights.sync.destination, NAMESPACE) if "lease" in key]
    assert f"lease-{nights.sync.name}-000003" in keys


def test_a_load_that_was_taken_over_writes_nothing(nights: Nights) -> None:
    person = nights.somebody()[0]
    nights.rename(person, "Zombie", night(0, minutes=600))
    run = nights.nightly(1, marked="slice.load")
    workspace = Workspace(nights.sync.staging, nights.sync.name, run.run_id)
    route = load_route(nights.sync.routes / f"{nights.sync.name}.yaml")
    zombie = lease_of(nights.sync.destination, route, Holder("zombie", "z" * 32))
    zombie.take()
    zombie.release()
    lease_of(nights.sync.destination, route, Holder("other", "o" * 32)).take()
    there = Destination(nights.sync.destination, (HIV,), (), before_write=zombie.keep)
    (piece,) = read_run_plan(workspace.plan).slices
    bundles = staged(workspace.package(piece.slice, 1) / "bundles")

    with pytest.raises(HeldByAnother, match="taken over by run other"):
        load(there, route, workspace, piece, bundles)

    assert not nights.equal()


def fails(*_: Any, **__: Any) -> None:
    raise PermanentError("the load was broken by its test")


def put_back(nights: Nights, person: dict[str, Any]) -> None:
    """Let the destination hold somebody as it did before, as a backup would."""
    fields = "trackedEntity,trackedEntityType,orgUnit,geometry"
    uid = person["trackedEntity"]
    now = nights.sync.destination.get(f"/api/tracker/trackedEntities/{uid}", {"fields": fields})
    old = {**now, "attributes": person["attributes"]}
    options = {"async": "false", "importStrategy": "UPDATE"}
    nights.sync.destination.post("/api/tracker", {"trackedEntities": [old]}, options)


def old_report(nights: Nights, run_id: str) -> tuple[float, dict[str, Any]]:
    path = Workspace(nights.sync.staging, nights.sync.name, run_id).report
    return path.stat().st_mtime, json.loads(path.read_bytes())
