"""How does DHIS2 say yes and no over HTTP?"""

import json
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any

from fastapi import Response


JSON_TYPE = "application/json;charset=UTF-8"
_TOMCAT = "Apache Tomcat/11.0.15"


class Refused(Exception):
    """A request that DHIS2 answers with a WebMessage instead of doing it."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        """Keep what the client is to be told."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


class Unreadable(Refused):
    """A body that cannot be bound."""


class Unholdable(Refused):
    """A text that the database cannot hold."""


class RefusedByTomcat(Refused):
    """A request that never reaches DHIS2's own code: the answer is an HTML page."""


def json_answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the body as the JSON that DHIS2 would send."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, dict(headers or {}), JSON_TYPE)


def web_message(
    status: int, /, message: str | None = None, code: str | None = None, **more: Any
) -> Response:
    """Return a WebMessage, the envelope of everything that is not a list or an object.

    Args:
        status: the HTTP status.
        message: what happened.
        code: the errorCode, if there is one.
        more: further members, e.g. `response`, or another `status` word.
    """
    body: dict[str, Any] = {
        "httpStatus": HTTPStatus(status).phrase,
        "httpStatusCode": status,
        "status": "OK" if status < 400 else "ERROR",
    }
    if message is not None:
        body["message"] = message
    if code is not None:
        body["errorCode"] = code
    return json_answer(body | more, status)


def tomcat_page(status: int, message: str, kind: str = "Status Report") -> Response:
    """Return the HTML page with which Tomcat answers what never reached DHIS2."""
    title = f"HTTP Status {status} – {HTTPStatus(status).phrase}"  # noqa: RUF001 - Tomcat's own dash
    text = escape(message).replace("/", "&#47;")
    page = (
        f'<!doctype html><html lang="en"><head><title>{title}</title></head><body>'
        f"<h1>{title}</h1><p><b>Type</b> {kind}</p><p><b>Message</b> {text}</p>"
        f"<h3>{_TOMCAT}</h3></body></html>"
    )
    return Response(page, status, media_type="text/html;charset=utf-8")
