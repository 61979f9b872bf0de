"""The client gives JSON or an error sorted by remedy, and never a value of anybody."""

from __future__ import annotations

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import (
    Dhis2Error,
    PermanentError,
    RequestRefused,
    TransientError,
    Unauthorized,
    UnexpectedAnswer,
    UnsupportedVersion,
)
from dhis2_api.exchange import Limits
from dhis2_api.patience import Patience
from scripted_server import Reply, Request, as_json, scripted


ONE_TRY = Patience(budget=0)
CANARY = "Canary-Diop-90210729"
HTML = b"<!doctype html><html>Canary-Diop-90210729</html>"

ANSWERS = {
    "a wrong password": (as_json({"message": CANARY}, 401), Unauthorized),
    "a right that lacks": (as_json({"message": CANARY, "errorCode": "E1006"}, 403), Unauthorized),
    "a refused request": (as_json({"message": CANARY}, 409), RequestRefused),
    "a broken server": (as_json({"message": CANARY}, 500), RequestRefused),
    "too many requests": (as_json({}, 429), TransientError),
    "a gateway": (Reply(502, HTML, "text/html"), TransientError),
    "a web page with 200": (Reply(200, HTML, "text/html"), UnexpectedAnswer),
    "a web page with 404": (Reply(404, HTML, "text/html"), UnexpectedAnswer),
    "a redirect": (
        Reply(302, b"", headers={"Location": "http://127.0.0.1:9/" + CANARY}),
        UnexpectedAnswer,
    ),
    "JSON that ends in the middle": (Reply(200, b'{"a": "' + CANARY.encode()), UnexpectedAnswer),
    "fewer bytes than promised": (Reply(200, b'{"a": 1}', cut=True), TransientError),
    "no answer at all": (None, TransientError),
}


@pytest.mark.parametrize(("reply", "error"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_becomes_the_error_that_says_what_to_do(
    reply: Reply | None, error: type[Dhis2Error]
) -> None:
    with scripted(lambda _: reply) as server:
        with Dhis2Client(server.url, name="north", patience=ONE_TRY) as client:
            with pytest.raises(error) as raised:
                client.get("/api/me", {"filter": f"x:eq:{CANARY}"})

    assert "north: GET /api/me" in str(raised.value)
    assert CANARY not in str(raised.value) + repr(raised.value)
    assert len(server.requests) == 1  # nothing is followed, nothing repeated


def test_a_server_that_is_not_there_is_named_with_what_to_check() -> None:
    with scripted(lambda _: as_json({})) as server:
        url = server.url

    with Dhis2Client(url, name="north", limits=Limits(1, 1), patience=ONE_TRY) as client:
        with pytest.raises(TransientError, match=r"north: GET /api/me got no answer.* address"):
            client.get("/api/me")


def test_a_token_is_sent_as_dhis2_wants_it_and_shown_nowhere() -> None:
    credentials = Credentials(token="d2p_secret")

    with scripted(lambda _: as_json({})) as server:
        with Dhis2Client(server.url, credentials) as client:
            client.get("/api/me")

    (request,) = server.requests
    assert request.headers["Authorization"] == "ApiToken d2p_secret"
    assert request.headers["X-Requested-With"] == "XMLHttpRequest"
    assert "secret" not in repr(client) + repr(credentials)


def test_a_password_with_an_accent_reaches_the_server_and_is_shown_nowhere() -> None:
    credentials = Credentials("awa", "mot-de-passé")

    with scripted(lambda _: as_json({})) as server:
        with Dhis2Client(server.url, credentials) as client:
            client.get("/api/me")

    assert server.requests[0].headers["Authorization"] == "Basic YXdhOm1vdC1kZS1wYXNzw6k="
    assert "passé" not in repr(credentials)


def test_a_report_with_409_is_an_answer_where_it_is_asked_for() -> None:
    def script(request: Request) -> Reply:
        return as_json({"sent": request.body}, 409)

    with scripted(script) as server, Dhis2Client(server.url) as client:
        answer = client.post("/api/tracker", {"name": "N'Deye «é»"}, also={409})

    assert answer.json() == {"sent": {"name": "N'Deye «é»"}}


@pytest.mark.parametrize(
    "url",
    [
        "http://dhis2.example.org",
        "ftp://dhis2.example.org",
        "https://awa:secret@dhis2.example.org",
        "https://dhis2.example.org?token=secret",
        "https://dhis2.example.org:port",
        "https://",
        "dhis2.example.org",
        "http://127.0.0.1.example.org",
    ],
)
def test_an_address_that_patients_must_not_travel_to_is_refused(url: str) -> None:
    with pytest.raises(PermanentError) as error:
        Dhis2Client(url)

    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://dhis2.example.org/", "https://dhis2.example.org"),
        ("https://play.example.org/north/", "https://play.example.org/north"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_may_have_a_path_and_loopback_needs_no_tls(url: str, base: str) -> None:
    assert Dhis2Client(url).url == base


def test_a_version_nobody_proved_is_refused() -> None:
    assert dialect_of("2.42.4").version == "2.42"
    for version in ("2.39.10", "2.44-SNAPSHOT", "3.0", "", "banana"):
        with pytest.raises(UnsupportedVersion, match=r"2\.42"):
            dialect_of(version)
