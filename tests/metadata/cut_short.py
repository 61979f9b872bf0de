"""Cut short: a server between which and us a proxy changes answers of several classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dhis2_api.client import Dhis2Client
from scripted_server import Reply, Request, as_json, scripted


#: What a request asks for and what came, and what is left of it.
Cut = Callable[[Request, Any], Any]


@contextmanager
def through(server: Dhis2Client, cut: Cut) -> Iterator[Dhis2Client]:
    """Speak to a server whose answers of several classes are changed on their way."""

    def script(request: Request) -> Reply:
        answer = server.request(
            request.method, request.path, params=request.query, also=(403, 404, 409)
        )
        body = answer.json()
        several = request.path == "/api/metadata"
        return as_json(cut(request, body) if several else body, answer.status)

    with scripted(script) as proxy, Dhis2Client(proxy.url, name="from") as client:
        yield client


def always_without(plural: str) -> Cut:
    """Leave a class out of each answer."""
    return lambda _, body: {name: rows for name, rows in body.items() if name != plural}
