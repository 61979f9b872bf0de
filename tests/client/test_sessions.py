"""A session is kept while it lasts, begun anew when it ended, and never with a refusal's cookie."""

from __future__ import annotations

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.errors import Unauthorized, UnexpectedAnswer
from scripted_server import Reply, Request, as_json, scripted


AWA = Credentials("awa", "secret")

COOKIE = {"Set-Cookie": "JSESSIONID=one; Path=/"}


def test_a_session_is_kept_until_it_is_forgotten() -> None:
    ok = Reply(200, b"{}", headers=COOKIE)

    with scripted(lambda _: ok) as server:
        with Dhis2Client(server.url, AWA) as client:
            client.get("/api/me")
            client.get("/api/me")
            client.forget_session()
            client.get("/api/me")

    cookies = [request.headers.get("Cookie") for request in server.requests]
    assert cookies == [None, "JSESSIONID=one", None]


@pytest.mark.parametrize("status", [302, 401])
def test_a_session_that_ended_is_begun_anew_even_for_a_write(status: int) -> None:
    def script(request: Request) -> Reply:
        ended = "Cookie" in request.headers and len(server.requests) == 2
        return Reply(status, b"") if ended else Reply(200, b"{}", headers=COOKIE)

    with scripted(script) as server:
        with Dhis2Client(server.url, AWA) as client:
            client.get("/api/me")
            client.post("/api/tracker", {})

    assert [request.method for request in server.requests] == ["GET", "POST", "POST"]
    assert "Cookie" not in server.requests[2].headers


def test_a_session_that_is_refused_again_is_refused() -> None:
    first = iter([Reply(200, b"{}", headers=COOKIE)])

    with scripted(lambda _: next(first, as_json({}, 401))) as server:
        with Dhis2Client(server.url, AWA) as client:
            client.get("/api/me")
            with pytest.raises(Unauthorized):
                client.get("/api/me")

    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [302, 401])
def test_a_first_refusal_is_one_even_if_it_sets_a_cookie(status: int) -> None:
    replies = iter([Reply(status, b"{}", headers=COOKIE), as_json({})])

    with scripted(lambda _: next(replies)) as server, Dhis2Client(server.url, AWA) as client:
        with pytest.raises((Unauthorized, UnexpectedAnswer)):
            client.post("/api/tracker", {})
        assert len(server.requests) == 1
        client.get("/api/me")

    assert "Cookie" not in server.requests[1].headers


def test_the_cookie_of_a_second_refusal_is_dropped_too() -> None:
    ok, refused = Reply(200, b"{}", headers=COOKIE), Reply(401, b"{}", headers=COOKIE)
    replies = iter([ok, refused, refused, ok])

    with scripted(lambda _: next(replies)) as server, Dhis2Client(server.url, AWA) as client:
        client.get("/api/me")
        with pytest.raises(Unauthorized):
            client.get("/api/me")
        client.get("/api/me")

    cookies = [request.headers.get("Cookie") for request in server.requests]
    assert cookies == [None, "JSESSIONID=one", None, None]
