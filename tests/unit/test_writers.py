"""Several batches are under way at once, never more than said, and nothing they wrote is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Lock

import pytest

from builders import PROGRAM
from dhis2_api.client import Dhis2Client
from scripted_server import Reply, Request, as_json, scripted
from tracker_sync.sending.destination import Destination
from tracker_sync.sending.writers import in_parallel


class Counting:
    """A server that takes a moment, and counts how many requests are under way."""

    def __init__(self) -> None:
        self.lock, self.under_way, self.most = Lock(), 0, 0

    def __call__(self, _: Request) -> Reply:
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        time.sleep(0.03)
        with self.lock:
            self.under_way -= 1
        return as_json({})


@pytest.fixture
def server() -> Iterator[tuple[Counting, Dhis2Client]]:
    counting = Counting()
    with scripted(counting) as there, Dhis2Client(there.url) as client:
        yield counting, client


def asking(destination: Destination, batch: int) -> int:
    destination.before_write()
    destination.client.post("/api/tracker", {})
    return batch


@pytest.mark.parametrize("writers", [1, 3])
def test_as_many_requests_are_under_way_as_there_are_writers(
    server: tuple[Counting, Dhis2Client], writers: int
) -> None:
    counting, client = server
    there = Destination(client, (PROGRAM,), writers=writers)

    done = [*in_parallel(there, range(12), asking)]

    assert sorted(done) == [*range(12)]
    assert counting.most == writers


def test_one_request_that_reads_may_go_beside_the_writers(
    server: tuple[Counting, Dhis2Client],
) -> None:
    counting, client = server
    there = Destination(client, (PROGRAM,), writers=2)

    def read(destination: Destination, batch: int) -> int:
        destination.client.get("/api/me")
        return batch

    assert len([*in_parallel(there, range(12), read)]) == 12
    assert counting.most == 3


def test_what_was_under_way_beside_a_failure_is_told_before_it(
    server: tuple[Counting, Dhis2Client],
) -> None:
    _, client = server
    began: list[int] = []

    def load(destination: Destination, batch: int) -> int:
        began.append(batch)
        if batch == 2:
            raise ValueError("the batch was broken by its test")
        return asking(destination, batch)

    done: list[int] = []
    results = in_parallel(Destination(client, (PROGRAM,), writers=2), range(50), load)
    with pytest.raises(ValueError, match="broken by its test"):
        done.extend(results)

    assert 2 in began
    assert sorted(done) == sorted({*began} - {2})
    assert len(began) < 50


def test_whoever_asks_before_a_write_is_asked_by_one_at_a_time(
    server: tuple[Counting, Dhis2Client],
) -> None:
    _, client = server
    inside: list[int] = []
    most: list[int] = []

    def ask() -> None:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.002)
        inside.pop()

    there = Destination(client, (PROGRAM,), writers=4, before_write=ask)

    assert len([*in_parallel(there, range(20), asking)]) == 20
    assert len(most) == 20
    assert max(most) == 1
