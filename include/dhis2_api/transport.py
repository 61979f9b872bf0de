"""The transport: one session to one server, with its cookie, its certificate and its limits."""

from __future__ import annotations

import ssl
import uuid
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from dhis2_api.address import checked_address
from dhis2_api.answers import Answer
from dhis2_api.credentials import Credentials
from dhis2_api.errors import PermanentError, TransientError, UnexpectedAnswer
from dhis2_api.exchange import Limits, Request


_HEADERS = {
    "Accept-Encoding": "gzip",
    # Without it, a request nobody signed is redirected to a login page (measured).
    "X-Requested-With": "XMLHttpRequest",
}

# A session that ended: a server asks to log in (measured: Clock, identity, locks).
_LOGGED_OUT = {302, 401}

_CHUNK = 1 << 16


class Transport:
    """Send requests to one server over one session.

    It never follows a redirect: a POST that is redirected arrives as a GET, or
    its patients arrive at another host (reliability F14). The session's cookie is
    kept, since a password without it costs the server 60-70 ms (measured).
    """

    def __init__(
        self, url: str, credentials: Credentials, name: str, limits: Limits, ca_file: str | None
    ) -> None:
        self.url = checked_address(url)
        self._name = name
        self._limits = limits
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc or a proxy of the machine must not step in
        self._session.headers.update(_HEADERS)
        self._session.auth = credentials.auth()
        self._session.verify = _authorities(ca_file)
        self._session.mount("https://", _ModernTls())

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def forget_session(self) -> None:
        """Drop the cookie; the next request starts a session with the rights of then."""
        self._session.cookies.clear()

    def send(self, request: Request) -> Answer:
        """Return the answer to a request, whatever its status.

        Raises:
            TransientError: No answer, or half of one.
            PermanentError: The server's certificate is not trusted.
            UnexpectedAnswer: The answer is too long, or not HTTP.
        """
        answer = self._send(request)
        if answer.status in _LOGGED_OUT and self._session.cookies:
            # Refused at the door, so nothing happened: even a write may come again.
            self.forget_session()
            return self._send(request)
        return answer

    def _send(self, request: Request) -> Answer:
        what = f"{self._name}: {request.method} {request.path}"
        try:
            with self._open(request) as response:
                body = self._body(response, what)
        # The texts of these errors hold the URL, and a URL may hold a filter's value.
        except requests.exceptions.SSLError:
            raise PermanentError(
                f"{what}: the server's certificate is not trusted, or its TLS is older than 1.2: "
                "name its authority as `ca_file` of the connection, or mend the server"
            ) from None
        except requests.ConnectTimeout:
            raise TransientError(_no_answer(what, "ConnectTimeout"), untouched=True) from None
        except _NO_WHOLE_ANSWER as error:
            raise TransientError(_no_answer(what, type(error).__name__)) from None
        except (requests.RequestException, ValueError) as error:
            raise UnexpectedAnswer(
                f"{what}: the answer could not be read ({type(error).__name__})"
            ) from None
        headers = response.headers
        kind, retry_after = headers.get("Content-Type", ""), headers.get("Retry-After", "")
        return Answer(what, response.status_code, kind, body, retry_after)

    def _open(self, request: Request) -> requests.Response:
        headers = {"X-Request-ID": str(uuid.uuid4()), "Accept": request.accept}
        if request.kind:
            headers["Content-Type"] = request.kind
        return self._session.request(
            request.method,
            f"{self.url}{request.path}",
            params=dict(request.params),
            data=request.body,
            files=request.files,
            headers=headers,
            timeout=(self._limits.connect, self._limits.read),
            allow_redirects=False,
            stream=True,
        )

    def _body(self, response: requests.Response, what: str) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._limits.answer_bytes:
                raise UnexpectedAnswer(
                    f"{what}: the answer is longer than {self._limits.answer_bytes} bytes: "
                    "ask for smaller pages"
                )
        return bytes(body)


# After these nobody knows whether a write has happened.
_NO_WHOLE_ANSWER = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


def _authorities(ca_file: str | None) -> str | bool:
    if ca_file and not Path(ca_file).is_file():
        raise PermanentError("the connection's `ca_file` is not there: correct its path")
    return ca_file or True


def _no_answer(what: str, error: str) -> str:
    return (
        f"{what} got no answer, or half of one ({error}): check that the "
        "server is up and that its address in the connection is right"
    )


class _ModernTls(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        super().init_poolmanager(*args, **kwargs, ssl_context=context)
