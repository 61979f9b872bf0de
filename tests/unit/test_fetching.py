"""Several requests are under way at once, and nobody can tell from what comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused
from dhis2_api.paging import Asked, Envelope
from dhis2_api.patience import Patience
from scripted_server import Reply, Request, as_json, scripted
from tracker_sync.reading.fetching import fetched


ASKED = [Asked(f"/api/{number}", {}, Envelope("rows", "", "named")) for number in range(12)]


def number_of(request: Request) -> int:
    return int(Path(request.path).name)


def fetch(script: Callable[[Request], Reply], in_parallel: int) -> list[bytes]:
    with scripted(script) as server, Dhis2Client(server.url, patience=Patience(budget=0)) as client:
        with closing(fetched(client, ASKED, in_parallel)) as bodies:
            return [*bodies]


@pytest.mark.parametrize("in_parallel", [1, 2, 4, 8])
def test_answers_come_in_the_order_they_were_asked_for(in_parallel: int) -> None:
    def slower_at_first(request: Request) -> Reply:
        time.sleep(0.02 * (number_of(request) % 4 == 0))
        return as_json(number_of(request))

    bodies = fetch(slower_at_first, in_parallel)

    assert [int(body) for body in bodies] == [*range(len(ASKED))]


def test_as_many_requests_as_allowed_are_under_way_at_once() -> None:
    together = threading.Barrier(4, timeout=10)  # breaks unless four wait for each other

    def script(request: Request) -> Reply:
        together.wait()
        return as_json(number_of(request))

    assert len(fetch(script, 4)) == len(ASKED)


def test_each_thread_has_a_session_of_its_own() -> None:
    numbers, sessions = count(), []

    def script(request: Request) -> Reply:
        sessions.append(request.headers.get("Cookie"))
        headers = {} if sessions[-1] else {"Set-Cookie": f"JSESSIONID={next(numbers)}"}
        time.sleep(0.01)
        return Reply(200, b"1", headers=headers)

    fetch(script, 4)

    assert sessions.count(None) == 4
    assert len(set(sessions)) == 5


def test_a_failure_ends_the_read_at_once_whoever_s_turn_it_is() -> None:
    failed, asked = threading.Event(), []

    def script(request: Request) -> Reply:
        asked.append(number_of(request))
        if number_of(request) == 2:
            return as_json({"httpStatusCode": 409}, 409)
        failed.wait(10)
        return as_json(number_of(request))

    began = time.monotonic()
    with pytest.raises(RequestRefused):
        fetch(script, 4)
    took = time.monotonic() - began
    failed.set()

    assert took < 5
    assert max(asked) < 8


def test_no_more_answers_lie_in_memory_than_twice_the_requests_under_way() -> None:
    asked: list[int] = []

    def script(request: Request) -> Reply:
        asked.append(number_of(request))
        return as_json(number_of(request))

    with scripted(script) as server, Dhis2Client(server.url) as client:
        with closing(fetched(client, ASKED, 2)) as bodies:
            next(bodies)
            time.sleep(0.2)

    assert len(asked) <= 4
