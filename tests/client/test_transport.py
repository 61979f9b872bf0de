"""A request goes out once, its answer comes whole and in time, and neither is shown to anybody."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from dhis2_api.answers import Answer
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import Dhis2Error, TransientError, UnexpectedAnswer
from dhis2_api.exchange import Limits, Request
from dhis2_api.patience import Patience
from scripted_server import Reply, scripted


CANARY = "Canary-Diop-90210729"
ONE_TRY = Patience(budget=0)


def test_neither_a_request_nor_an_answer_shows_a_value() -> None:
    body = CANARY.encode()
    files = {"file": (CANARY, body, "text/plain")}

    shown = repr(Request("POST", "/api/tracker", {"filter": CANARY}, body, files=files))
    shown += repr(Answer("north: GET /api/me", 200, "application/json", body))

    assert "POST" in shown
    assert "north: GET /api/me" in shown
    assert CANARY not in shown


class Writer:
    """Hands parts of an answer to whoever listens, and stops where nobody does."""

    def __init__(self, connection: socket.socket, over: Event) -> None:
        self.connection = connection
        self.over = over

    def send(self, part: bytes) -> None:
        self.connection.sendall(part)

    def drip(self, part: bytes) -> None:
        while not self.over.wait(0.02):
            self.send(part)


@contextmanager
def raw(answer: Callable[[Writer], None]) -> Iterator[str]:
    """Answer every connection byte by byte, as no HTTP server would; hang up afterwards."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                connection, _ = listening.accept()
                with connection:
                    if over.is_set():
                        return
                    connection.recv(1 << 16)
                    try:
                        answer(Writer(connection, over))
                    except OSError:
                        continue  # hung up on, as it should be

        thread = Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            socket.create_connection(listening.getsockname()).close()
            thread.join()


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIPS = {"a length": (LENGTH, b" "), "chunks": (CHUNKS, b"1\r\n \r\n")}


@pytest.mark.parametrize(("head", "drop"), DRIPS.values(), ids=DRIPS.keys())
def test_an_answer_that_drips_has_an_end(head: bytes, drop: bytes) -> None:
    def answer(writer: Writer) -> None:
        writer.send(head)
        writer.drip(drop)

    began = time.monotonic()
    with raw(answer) as url:
        with Dhis2Client(url, limits=Limits(whole=0.3), patience=ONE_TRY) as client:
            with pytest.raises(TransientError, match=r"GET /api/me .* 0\.3 s"):
                client.get("/api/me")

    assert 0.3 <= time.monotonic() - began < 5


HALVES = {
    "short of its length": LENGTH + b'{"a": 1}',
    "cut between chunks": CHUNKS + b'8\r\n{"a": 1}\r\n',
    "cut in a chunk": CHUNKS + b'9\r\n{"a": 1}',
    "chunks of no size": CHUNKS + b'x\r\n{"a": 1}\r\n',
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_an_answer_that_ends_early_is_no_answer(half: bytes) -> None:
    with raw(lambda writer: writer.send(half)) as url:
        with Dhis2Client(url, patience=ONE_TRY) as client:
            with pytest.raises(TransientError, match="half of one"):
                client.get("/api/me")


def test_packed_bytes_that_do_not_unpack_are_no_answer() -> None:
    broken = Reply(200, b"{}" * 40, headers={"Content-Encoding": "gzip"})

    with scripted(lambda _: broken) as server, Dhis2Client(server.url) as client:
        with pytest.raises(UnexpectedAnswer, match="could not be read"):
            client.get("/api/me")


@pytest.mark.parametrize("whole", [CHUNKS + b'8\r\n{"a": 1}\r\n0\r\n\r\n', None])
def test_one_connection_serves_many_requests(whole: bytes | None) -> None:
    connections = []

    def answer(writer: Writer) -> None:
        connections.append(writer)
        for _ in range(3):
            writer.send(whole or LENGTH.replace(b"100000", b"8") + b'{"a": 1}')
            writer.connection.recv(1 << 16)

    with raw(answer) as url, Dhis2Client(url, patience=ONE_TRY) as client:
        answers = [client.get("/api/me") for _ in range(3)]

    assert answers == [{"a": 1}] * 3
    assert len(connections) == 1


def test_no_log_however_deep_shows_what_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    odd = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n no: header\r\nodd\r\n\r\n{}"

    with raw(lambda writer: writer.send(odd)) as url:
        with Dhis2Client(url, patience=ONE_TRY) as client:
            for _ in range(2):
                outcome(lambda: client.get("/api/me", {"filter": f"x:eq:{CANARY}"}))
    logging.getLogger("any.other").debug("still heard")

    assert "still heard" in caplog.text
    assert CANARY not in caplog.text


def outcome(ask: Callable[[], object]) -> None:
    try:
        ask()
    except Dhis2Error as error:
        assert CANARY not in str(error)  # noqa: PT017 - it may be an answer as well


def test_a_query_arrives_as_it_was_meant_whatever_it_says() -> None:
    asked = {"filter": "x:like:Ndèye & 50% + [a;b]#?", "uids": ",".join(["HWe1ZtgPRsl"] * 300)}

    with scripted(lambda _: Reply(200, b"{}")) as server:
        with Dhis2Client(server.url, patience=ONE_TRY) as client:
            client.get("/api/me", asked)
            client.get("/api/me")

    with_query, without = server.requests
    assert with_query.query == asked
    assert without.query == {}
    assert not {name for one in server.requests for name in one.headers if "query" in name.lower()}
