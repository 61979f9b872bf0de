"""The client: one server, one session, JSON or a typed error."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import requests

from dhis2_api.address import checked_address
from dhis2_api.answers import Answer, refuse_unless_expected
from dhis2_api.credentials import Credentials
from dhis2_api.errors import TransientError, UnexpectedAnswer


Json = Any
Params = Mapping[str, str | int]

_HEADERS = {
    "Accept": "application/json",
    # Without it, a request nobody signed is redirected to a login page (measured).
    "X-Requested-With": "XMLHttpRequest",
}

# DHIS2 reads a PATCH as a JSON patch (RFC 6902) and wants it called so.
_BODY_KINDS = {"PATCH": "application/json-patch+json"}

# After these nobody knows whether a write has happened.
_NO_WHOLE_ANSWER = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for the connection, and for each part of an answer."""

    connect: float = 10.0
    read: float = 300.0


class Dhis2Client:
    """Speak to one DHIS2 server over one session.

    It never follows a redirect: a POST that is redirected arrives as a GET, or
    its patients arrive at another host (reliability F14). It never retries: a
    caller knows what may be repeated.

    Args:
        url: The base URL, checked by `checked_address`.
        credentials: Who asks.
        name: What messages call this server, e.g. the connection's name.
        timeouts: How long to wait.
        ca_file: Authorities to trust instead of the system's.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        name: str = "dhis2",
        timeouts: Timeouts | None = None,
        ca_file: str | None = None,
    ) -> None:
        self.url = checked_address(url)
        self.name = name
        self._timeouts = timeouts or Timeouts()
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc or a proxy of the machine must not step in
        self._session.headers.update(_HEADERS)
        self._session.auth = (credentials or Credentials()).auth()
        self._session.verify = ca_file or True

    def __repr__(self) -> str:
        return f"Dhis2Client({self.name}, {self.url})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def get(self, path: str, params: Params | None = None) -> Json:
        """Return the JSON at *path*, e.g. `/api/me`."""
        return self.request("GET", path, params=params).json()

    def get_bytes(self, path: str, params: Params | None = None) -> bytes:
        """Return the JSON at *path* as the bytes that came."""
        return self.request("GET", path, params=params).body

    def post(
        self, path: str, payload: Json, params: Params | None = None, *, also: Collection[int] = ()
    ) -> Answer:
        """Send *payload* as JSON; statuses in *also* are answers too, not errors."""
        return self.request("POST", path, params=params, payload=payload, also=also)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        payload: Json = None,
        also: Collection[int] = (),
    ) -> Answer:
        """Send one request and return its answer.

        Raises:
            TransientError: No answer, or a gateway's; a write may have happened.
            Unauthorized: The account, its token or its rights were not accepted.
            RequestRefused: The server refused the whole request.
            UnexpectedAnswer: Neither JSON nor an error of DHIS2.
        """
        body = None if payload is None else json.dumps(payload, ensure_ascii=False).encode()
        answer = self._send(method, path, params, body)
        refuse_unless_expected(answer, also=also)
        return answer

    def _send(self, method: str, path: str, params: Params | None, body: bytes | None) -> Answer:
        headers = {"X-Request-ID": str(uuid.uuid4())}
        if body is not None:
            headers["Content-Type"] = _BODY_KINDS.get(method, "application/json; charset=utf-8")
        what = f"{self.name}: {method} {path}"
        try:
            response = self._session.request(
                method,
                f"{self.url}{path}",
                params=dict(params or {}),
                data=body,
                headers=headers,
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
            )
        except _NO_WHOLE_ANSWER as error:
            # The text of these errors holds the URL, and a URL may hold a filter's value.
            raise TransientError(
                f"{what} got no answer, or half of one ({type(error).__name__}): check that the "
                "server is up and that its address in the connection is right"
            ) from None
        except requests.RequestException as error:
            raise UnexpectedAnswer(
                f"{what}: the answer could not be read ({type(error).__name__})"
            ) from None
        kind = response.headers.get("Content-Type", "")
        return Answer(what, response.status_code, kind, response.content)
