"""A server that answers as a real one was recorded to, and nothing else.

`recordings/VERSION.jsonl` holds one exchange a line, its lists cut to three rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.patience import Patience
from scripted_server import Reply, Request, ScriptedServer, as_json, scripted


VERSIONS = ("2.40.9", "2.41.8", "2.42.4", "2.43.1")
_FOLDER = Path(__file__).parent / "recordings"

# What a client may ask otherwise without other rows being meant.
_HOW = {"page", "pageSize", "totalPages", "fields", "order", "includeDeleted", "reportMode"}


@dataclass(frozen=True)
class Recorded:
    name: str
    method: str
    path: str
    params: Mapping[str, str]
    status: int
    kind: str
    body: Any

    @property
    def reply(self) -> Reply:
        if isinstance(self.body, dict) and self.body.keys() == {"text"}:
            return Reply(self.status, self.body["text"].encode(), self.kind)
        return as_json(self.body, self.status)

    def answers(self, request: Request) -> bool:
        return (self.method, self.path) == (request.method, request.path) and _telling(
            self.params
        ) == _telling(request.query)

    def rows(self) -> list[dict[str, Any]]:
        return next(value for value in self.body.values() if isinstance(value, list))


def _telling(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in _HOW}


@cache
def recorded(version: str) -> dict[str, Recorded]:
    lines = (_FOLDER / f"{version}.jsonl").read_text(encoding="utf-8").splitlines()
    return {item.name: item for item in map(_exchange, lines)}


def _exchange(line: str) -> Recorded:
    found = json.loads(line)
    request, response = found["request"], found["response"]
    return Recorded(
        found["name"],
        request["method"],
        request["path"],
        {name: str(value) for name, value in request["params"].items()},
        response["status"],
        response["headers"].get("Content-Type", ""),
        response["body"],
    )


@contextmanager
def replaying(version: str, *names: str) -> Iterator[tuple[Dhis2Client, ScriptedServer]]:
    """Answer the exchanges *names*, each as often as asked for, in turn where they are alike."""
    waiting = [recorded(version)[name] for name in ("system-info", *names)]

    def script(request: Request) -> Reply:
        alike = [item for item in waiting if item.answers(request)]
        if not alike:
            return as_json({"message": "nobody ever asked a real server this"}, 418)
        if len(alike) > 1:
            waiting.remove(alike[0])
        return _paged(alike[0], request)

    with scripted(script) as server:
        with Dhis2Client(server.url, name=version, patience=Patience(budget=0)) as client:
            yield client, server


def _paged(item: Recorded, request: Request) -> Reply:
    """Make a recorded page a list of one page, counted where the client asks (121-total-pages)."""
    body = item.body
    if item.status != 200 or not isinstance(body, dict) or "page" not in request.query:
        return item.reply
    number = int(request.query["page"])
    body = {
        key: [] if isinstance(value, list) and number > 1 else value for key, value in body.items()
    }
    around = {"page": number} | ({"pageCount": 1} if "totalPages" in request.query else {})
    pager = {k: v for k, v in body.get("pager", {}).items() if k != "nextPage"} | around
    pager |= {"isLastPage": True} if "isLastPage" in pager else {}
    flat = around if "page" in body else {}
    # A legacy list of people has no pager unless it is counted (legacy-teis, legacy-teis-total).
    has_pager = "pager" in body or (not flat and "totalPages" in request.query)
    return as_json(body | flat | ({"pager": pager} if has_pager else {}))


@contextmanager
def in_turn(version: str, *names: str) -> Iterator[tuple[Dhis2Client, ScriptedServer]]:
    """Answer the requests with recorded answers in turn, whatever is sent."""
    replies = iter([recorded(version)[name].reply for name in names])
    with scripted(lambda _: next(replies)) as server, Dhis2Client(server.url) as client:
        yield client, server
