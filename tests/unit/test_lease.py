"""Two runs never write to one destination, and a run that died never blocks it for good."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value, read_keys
from dhis2_api.errors import PermanentError
from dhis2_api.system import Server
from servers import route, running
from tracker_sync.leases.holder import Holder, ever_held, holder_of
from tracker_sync.leases.lease import HeldByAnother, Lease, given_back_after, held, lease_of
from tracker_sync.leases.record import LeaseRecord, Moment
from tracker_sync.windows.checkpoint import NAMESPACE
from tracker_sync.workspace import Workspace


NIGHT, BACKFILL = Holder("scheduled__night", "n" * 32), Holder("backfill__old", "b" * 32)
TERM = timedelta(minutes=route().keeping.lease_minutes)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Dhis2Client]:
    with running(tmp_path, "to") as client:
        yield client


def lease(client: Dhis2Client, holder: Holder = NIGHT) -> Lease:
    return lease_of(client, route(), holder)


def taken(client: Dhis2Client, holder: Holder = NIGHT) -> Lease:
    found = lease(client, holder)
    found.take()
    return found


def let_pass(store_of: Lease, share: float) -> None:
    """Let a share of the term pass since the last sign of life of whoever holds the lease."""
    store = store_of.store
    record, back = store.read(store.highest()), TERM * share
    assert record
    older = replace(record, renewed_at=record.renewed_at - back)
    store.replace(store.highest(), replace(older, expires_at=record.expires_at - back))
    store_of.due = 0.0


def test_it_is_taken_before_another_run_gets_it(server: Dhis2Client) -> None:
    taken(server)

    with pytest.raises(HeldByAnother, match=r"waiting for run scheduled__night \(last sign of"):
        taken(server, BACKFILL)


def test_all_tasks_of_a_run_share_it(server: Dhis2Client) -> None:
    first, second = taken(server), taken(server)

    first.keep()
    second.keep()

    assert read_keys(server, NAMESPACE) == ["lease-district-000001"]


def test_a_run_of_the_same_name_elsewhere_is_another_run(server: Dhis2Client) -> None:
    taken(server)

    with pytest.raises(HeldByAnother):
        taken(server, replace(NIGHT, token="e" * 32))


def test_another_routes_lease_is_none_of_ours(server: Dhis2Client) -> None:
    taken(server)

    lease_of(server, route(name="district_2"), BACKFILL).take()

    keys = ["lease-district-000001", "lease-district_2-000001"]
    assert read_keys(server, NAMESPACE) == keys


def test_a_lease_given_back_is_taken_at_once_and_its_old_key_goes(server: Dhis2Client) -> None:
    taken(server).release()

    taken(server, BACKFILL)

    assert read_keys(server, NAMESPACE) == ["lease-district-000002"]


def test_nobody_gives_back_what_another_holds(server: Dhis2Client) -> None:
    taken(server)

    lease(server, BACKFILL).release()

    with pytest.raises(HeldByAnother):
        taken(server, BACKFILL)


def test_a_run_without_a_sign_of_life_is_taken_over_and_stops_before_its_next_write(
    server: Dhis2Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    zombie = taken(server)
    let_pass(zombie, 1.01)

    taken(server, BACKFILL)

    assert "is taken over from run scheduled__night (last sign of life" in caplog.text
    with pytest.raises(HeldByAnother, match="was taken over by run backfill__old"):
        zombie.keep()
    with pytest.raises(HeldByAnother):
        zombie.take()


def test_it_is_renewed_when_a_third_of_the_term_has_passed(server: Dhis2Client) -> None:
    ours = taken(server)
    let_pass(ours, 0.4)

    ours.keep()

    record = ours.store.read(1)
    assert record
    assert record.age(ours.store.now()) < TERM / 10


@pytest.mark.parametrize("share", [0.7, 1.2])
def test_when_others_may_be_about_to_take_it_over_it_is_taken_anew(
    server: Dhis2Client, share: float
) -> None:
    ours, sibling = taken(server), taken(server)
    let_pass(ours, share)

    ours.keep()
    sibling.keep()

    assert read_keys(server, NAMESPACE) == ["lease-district-000002"]
    assert ours.generation == sibling.generation == 2


def test_one_that_comes_after_its_successors_holds_nothing(server: Dhis2Client) -> None:
    ours = taken(server)
    now = ours.store.now()
    for _ in range(3):
        let_pass(ours, 0.7)
        ours.keep()
    assert read_keys(server, NAMESPACE) == ["lease-district-000004"]
    late = LeaseRecord.taken(BACKFILL, now, TERM, None)

    won = ours.store.create(2, late)

    assert not won
    assert read_keys(server, NAMESPACE) == ["lease-district-000004"]


def test_what_is_no_lease_is_left_for_a_person(server: Dhis2Client) -> None:
    create_value(server, NAMESPACE, "lease-district-000001", {"mine": True})

    with pytest.raises(PermanentError, match=r"`lease-district-000001`.*delete the key"):
        taken(server)


@pytest.mark.parametrize("runs", [2, 5])
def test_of_many_runs_racing_for_an_expired_lease_one_holds_at_a_time(
    server: Dhis2Client, runs: int
) -> None:
    dead = taken(server)
    inside, start = [0], threading.Barrier(runs)
    overlaps: list[int] = []

    def compete(number: int) -> None:
        with server.another() as client:
            ours = lease(client, Holder(f"run {number}", f"{number:032}"))
            start.wait()
            while len(overlaps) < 12:
                try:
                    ours.take()
                    ours.keep()
                except HeldByAnother:
                    continue
                inside[0] += 1
                overlaps.append(inside[0])
                ours.keep()
                inside[0] -= 1
                if number % 2:
                    ours.release()
                else:
                    let_pass(ours, 1.01)  # as if it had died

    let_pass(dead, 1.01)
    with ThreadPoolExecutor(runs) as pool:
        for done in [pool.submit(compete, number) for number in range(runs)]:
            done.result()

    assert len(overlaps) >= 12
    assert set(overlaps) == {1}


def test_in_a_repeated_hour_a_live_lease_never_looks_expired() -> None:
    oslo, term = ZoneInfo("Europe/Oslo"), timedelta(minutes=15)
    shown = datetime(2026, 10, 25, 2, 55, tzinfo=oslo).astimezone(UTC)  # or an hour later
    five_past_three = datetime(2026, 10, 25, 3, 5, tzinfo=oslo).astimezone(UTC)

    record = LeaseRecord.taken(NIGHT, Moment.of(Server("", None, oslo, shown)), term, None)

    assert record.counts(Moment.of(Server("", None, oslo, five_past_three)))


def test_a_run_is_one_holder_and_gives_back_what_it_held(
    server: Dhis2Client, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path, "district", "manual__1")
    assert not ever_held(workspace)
    with given_back_after(server, route(), workspace):
        pass
    assert read_keys(server, NAMESPACE) == []

    with suppress(RuntimeError), given_back_after(server, route(), workspace):
        held(server, route(), workspace)
        raise RuntimeError("the run is red")

    assert holder_of(workspace) == holder_of(workspace)
    taken(server, BACKFILL)
