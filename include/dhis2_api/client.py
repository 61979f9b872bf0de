"""The client: one server, JSON or a typed error."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from copy import copy
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Self

from dhis2_api.answers import Answer, refuse_unless_expected
from dhis2_api.credentials import Credentials
from dhis2_api.dialects import Dialect, dialect_of
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.exchange import Limits, Params, Request
from dhis2_api.patience import Patience, patiently
from dhis2_api.traffic import Traffic
from dhis2_api.transport import Transport


Json = Any

_JSON = "application/json; charset=utf-8"

# DHIS2 reads a PATCH as a JSON patch (RFC 6902) and wants it called so.
_BODY_KINDS = {"PATCH": "application/json-patch+json"}


def _deaf(_: object) -> None:
    """Hear nothing: nobody listens."""


class Dhis2Client:
    """Speak to one DHIS2 server over one session.

    A request that reads is sent again while patience lasts; one that writes only if
    the server certainly did nothing: else its caller must look what became of it.

    Args:
        url: The base URL, checked by `checked_address`.
        credentials: Who asks.
        name: What messages call this server, e.g. the connection's name.
        limits: How long to wait, and how much to take.
        patience: How long to go on trying.
        ca_file: Authorities to trust instead of the system's.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        name: str = "dhis2",
        limits: Limits | None = None,
        patience: Patience | None = None,
        ca_file: str | None = None,
    ) -> None:
        self._connect = partial(
            Transport, url, credentials or Credentials(), name, limits or Limits(), ca_file
        )
        self._transport = self._connect()
        self._traffic = Traffic()
        self._patience = patience or Patience()
        self._listener: Callable[[object], None] = _deaf
        self.url = self._transport.url
        self.name = name

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

    @cached_property
    def dialect(self) -> Dialect:
        """How this server is spoken to; its version is asked for once.

        Raises:
            UnsupportedVersion: This release was not proven on it.
            UnexpectedAnswer: The server does not say.
        """
        info = self.get("/api/system/info")
        version = info.get("version") if isinstance(info, dict) else None
        if not isinstance(version, str):
            raise UnexpectedAnswer(f"{self.name}: GET /api/system/info answered no version")
        return dialect_of(version)

    def learn_version(self, answer: Json) -> None:
        """Take the version from an answer that says it in `system`, instead of asking for it."""
        system = answer.get("system") if isinstance(answer, dict) else None
        version = system.get("version") if isinstance(system, dict) else None
        if isinstance(version, str) and "dialect" not in self.__dict__:
            self.__dict__["dialect"] = dialect_of(version)

    def another(self, traffic: Traffic | None = None) -> Self:
        """Return a client of the same server with a session of its own, for another thread.

        It takes its turn with this one, unless it is given other *traffic*.
        """
        other = copy(self)
        other._transport = self._connect()  # noqa: SLF001 - it is one of us
        other._traffic = traffic or self._traffic  # noqa: SLF001
        return other

    def listen(self, listener: Callable[[object], None]) -> None:
        """Have *listener* told of each import report, also of those of clients made by `another`.

        It may be told by several threads at once.
        """
        self._listener = listener

    def tell(self, heard: object) -> None:
        """Tell whoever listens what an answer held."""
        self._listener(heard)

    def close(self) -> None:
        """End the session."""
        self._transport.close()

    def forget_session(self) -> None:
        """Start a new session: the old one keeps the rights it began with (measured)."""
        self._transport.forget_session()

    def get(self, path: str, params: Params | None = None) -> Json:
        """Return the JSON at *path*, e.g. `/api/me`."""
        return self.request("GET", path, params=params).json()

    def get_bytes(self, path: str, params: Params | None = None) -> bytes:
        """Return the JSON at *path* as the bytes that came."""
        return self.request("GET", path, params=params).text()

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
        """Send one request, with *payload* as JSON unless it is nothing, and return its answer.

        A payload of bytes is JSON already.

        Raises:
            TransientError: No answer, or a gateway's; a write may have happened.
            Unauthorized: The account, its token or its rights were not accepted.
            RequestRefused: The server refused the whole request.
            UnexpectedAnswer: Neither JSON nor an error of DHIS2.
        """
        request = Request(method, path, params or {})
        if payload is not None:
            text = isinstance(payload, bytes)
            body = payload if text else json.dumps(payload, ensure_ascii=False).encode()
            kind = _BODY_KINDS.get(method, _JSON)
            request = Request(method, path, params or {}, body, kind)
        return self.send(request, also=also)

    def send(self, request: Request, *, also: Collection[int] = ()) -> Answer:
        """Send a request as it is; see `request`."""
        reads = request.method == "GET"
        return patiently(
            partial(self._once, request, also),
            self._patience,
            may_repeat=lambda error: reads or error.untouched,
        )

    def _once(self, request: Request, also: Collection[int]) -> Answer:
        with self._traffic.under_way(writes=request.method != "GET"):
            answer = self._transport.send(request)
            refuse_unless_expected(answer, also=also)
        return answer
