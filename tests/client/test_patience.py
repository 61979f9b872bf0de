"""A request is sent again while that harms nobody and patience lasts."""

from __future__ import annotations

import time
from contextlib import ExitStack
from threading import Thread

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.patience import Patience, seconds_to_wait
from dhis2_api.traffic import Traffic
from scripted_server import Reply, as_json, scripted


SHORT = Patience(budget=5, first=0.01, longest=0.02)
HICCUPS: dict[str, Reply | None] = {
    "a gateway": Reply(502, b"<html>", "text/html"),
    "a broken server": as_json({"status": "ERROR"}, 500),
    "too many requests": as_json({}, 429),
    "no answer": None,
    "half an answer": Reply(200, b'{"a": 1}', cut=True),
}


@pytest.mark.parametrize("hiccup", HICCUPS.values(), ids=HICCUPS.keys())
def test_a_read_is_repeated_until_it_is_answered(hiccup: Reply | None) -> None:
    replies = iter([hiccup, hiccup, as_json({"a": 1})])

    with scripted(lambda _: next(replies)) as server:
        with Dhis2Client(server.url, patience=SHORT) as client:
            answer = client.get("/api/me")

    assert answer == {"a": 1}
    assert len(server.requests) == 3


@pytest.mark.parametrize("hiccup", HICCUPS.values(), ids=HICCUPS.keys())
def test_a_write_is_repeated_only_if_the_server_did_nothing(hiccup: Reply | None) -> None:
    replies = iter([hiccup, as_json({"a": 1})])
    untouched = hiccup is not None and hiccup.status == 429

    with scripted(lambda _: next(replies)) as server:
        with Dhis2Client(server.url, patience=SHORT) as client:
            if untouched:
                client.post("/api/tracker", {})
            else:
                with pytest.raises(TransientError):
                    client.post("/api/tracker", {})

    assert len(server.requests) == (2 if untouched else 1)


def test_patience_has_an_end() -> None:
    began = time.monotonic()

    with scripted(lambda _: as_json({}, 503)) as server:
        with Dhis2Client(server.url, patience=Patience(0.3, 0.05, 0.1)) as client:
            with pytest.raises(TransientError):
                client.get("/api/me")

    assert len(server.requests) > 2
    assert time.monotonic() - began < 3


def test_a_server_that_asks_to_wait_is_waited_for() -> None:
    replies = iter([Reply(503, b"{}", headers={"Retry-After": "1"}), as_json({})])
    began = time.monotonic()

    with scripted(lambda _: next(replies)) as server:
        with Dhis2Client(server.url, patience=SHORT) as client:
            client.get("/api/me")

    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("header", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_wish_to_wait_beyond_the_budget_is_handed_on(header: str) -> None:
    busy = Reply(503, b"{}", headers={"Retry-After": header})

    with scripted(lambda _: busy) as server, Dhis2Client(server.url, patience=SHORT) as client:
        with pytest.raises(TransientError) as error:
            client.get("/api/me")

    assert (error.value.retry_after or 0) >= 3600
    assert len(server.requests) == 1


@pytest.mark.parametrize("header", ["", "soon", "-1", "1e9", "²"])
def test_a_wish_to_wait_that_nobody_understands_is_none(header: str) -> None:
    assert seconds_to_wait(header) is None


def test_a_write_that_never_reached_a_server_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with scripted(lambda _: as_json({})) as server:
        url = server.url
    patience = Patience(budget=0.5, first=0.05, longest=0.1)

    with Dhis2Client(url, patience=patience) as client:
        with pytest.raises(TransientError) as error:
            client.post("/api/tracker", {"events": []})

    assert error.value.untouched
    assert caplog.text.count("trying again") > 1


def test_a_server_that_asks_one_client_to_wait_is_left_alone_by_all_of_them() -> None:
    wait = Reply(429, b"{}", headers={"Retry-After": "1"})
    replies = iter([wait, as_json({}), as_json({})])

    with scripted(lambda _: next(replies)) as server, Dhis2Client(server.url) as client:
        slowed = Thread(target=client.get, args=("/api/me",))
        with client.another() as neighbour:
            slowed.start()
            while not server.requests:
                time.sleep(0.001)
            time.sleep(0.1)  # until the answer was heard
            began = time.monotonic()
            neighbour.get("/api/me")
            waited = time.monotonic() - began
            slowed.join()

    assert 0.5 < waited < 3
    assert len(server.requests) == 3


def test_no_more_requests_that_write_are_under_way_than_there_are_lanes() -> None:
    under_way: list[int] = []
    most: list[int] = []

    def script(_: object) -> Reply:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.02)
        under_way.pop()
        return as_json({})

    with scripted(script) as server, Dhis2Client(server.url) as client, ExitStack() as open_ones:
        lanes = Traffic(2)
        clients = [open_ones.enter_context(client.another(lanes)) for _ in range(6)]
        threads = [Thread(target=each.post, args=("/api/tracker", {})) for each in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(most) == 6
    assert max(most) == 2
