"""The client gives JSON or an error sorted by remedy, and never a value of anybody."""

from __future__ import annotations

import gzip
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
    "a broken server": (as_json({"message": CANARY}, 500), TransientError),
    "a broken server's web page": (Reply(500, HTML, "text/html"), TransientError),
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
        "https://awa:secret@dhis2.example.org:port",
        "https://dhis2.example.org:secret@port",
        "https://awa:secret@dhis2\u2100.example.org",
        "https://awa:secret@[dhis2.example.org",
        "https://",
        "dhis2.example.org",
        "http://127.0.0.1.example.org",
    ],
)
def test_an_address_that_patients_must_not_travel_to_is_refused(url: str) -> None:
    with pytest.raises(PermanentError) as error:
        Dhis2Client(url)

    assert "secret" not in shown(error.value)


def shown(error: BaseException) -> str:
    """Return what a log may show of an error: its causes as well, but no line of code."""
    told = traceback.TracebackException.from_exception(error)
    told.stack.clear()
    return "".join(told.format())


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


def test_every_request_has_an_id_of_its_own_and_takes_gzip() -> None:
    packed = Reply(200, gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"})

    with scripted(lambda _: packed) as server, Dhis2Client(server.url) as client:
        answers = [client.get("/api/me"), client.get("/api/me")]

    assert answers == [{"a": 1}, {"a": 1}]
    ids = {request.headers["X-Request-ID"] for request in server.requests}
    assert len(ids) == 2
    assert server.requests[0].headers["Accept-Encoding"] == "gzip"


def test_an_answer_that_never_ends_is_not_taken() -> None:
    bomb = Reply(200, gzip.compress(b" " * 5_000_000), headers={"Content-Encoding": "gzip"})

    with scripted(lambda _: bomb) as server:
        with Dhis2Client(server.url, limits=Limits(answer_bytes=1_000_000)) as client:
            with pytest.raises(UnexpectedAnswer, match="smaller pages"):
                client.get("/api/me")


def test_the_version_is_asked_for_once() -> None:
    with scripted(lambda _: as_json({"version": "2.41.8"})) as server:
        with Dhis2Client(server.url) as client:
            versions = [client.dialect.version, client.dialect.version]

    assert versions == ["2.41", "2.41"]
    assert len(server.requests) == 1


def test_a_file_of_authorities_that_is_not_there_is_named() -> None:
    with pytest.raises(PermanentError, match="ca_file"):
        Dhis2Client("https://localhost", ca_file="/nowhere/ca.pem")


def test_a_certificate_is_trusted_only_if_its_authority_is(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)

    with scripted(lambda _: as_json({"a": 1}), certificate=certificate) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        with Dhis2Client(url, patience=ONE_TRY) as stranger:
            with pytest.raises(PermanentError, match="ca_file"):
                stranger.get("/api/me")
        with Dhis2Client(url, ca_file=str(certificate)) as friend:
            answer = friend.get("/api/me")

    assert answer == {"a": 1}


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "server.pem"
    path.write_bytes(secret + certificate.public_bytes(pem))
    return path
