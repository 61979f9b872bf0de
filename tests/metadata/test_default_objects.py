"""Do the default category objects of an old server stay its own?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from scripted_server import Reply, Request, as_json, scripted
from servers import Pair, read, route
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.default_objects import default_objects


#: What everybody has -> what this one server has.
OTHERS = {
    "bjDvmb4bfuf": "otherCombo1",
    "HllvX50cXC0": "otherOptCo1",
    "GLevLNI9wkl": "otherCateg1",
    "xYerKDKCefk": "otherOption",
}


@contextmanager
def of_its_own(server: Dhis2Client, posted: list[str]) -> Iterator[Dhis2Client]:
    """Speak to a server as if its default objects had other UIDs."""

    def script(request: Request) -> Reply:
        body = None if request.body is None else json.dumps(request.body)
        if request.method == "POST":
            posted.append(body or "")
        for usual, other in OTHERS.items():
            body = body and body.replace(other, usual)
        answer = server.request(
            request.method,
            request.path,
            params=request.query,
            payload=body and body.encode(),
            also=(404, 409),
        )
        return as_json(renamed(answer.json()), answer.status)

    with scripted(script) as proxy, Dhis2Client(proxy.url, name="to") as client:
        yield client


def renamed(body: Any) -> Any:
    text = json.dumps(body)
    for usual, other in OTHERS.items():
        text = text.replace(usual, other)
    return json.loads(text)


def test_the_default_objects_are_mapped_by_their_name_and_never_sent(pair: Pair) -> None:
    posted: list[str] = []
    with of_its_own(pair.destination, posted) as destination:
        first = synchronise(pair.source, destination, route())
        again = synchronise(pair.source, destination, route())
        (program, *_) = route().programs
        combo = read(destination, "programs", program)["categoryCombo"]

    assert (first.findings, again.sent) == ((), 0)
    assert first.sent > 50
    assert combo == {"id": OTHERS["bjDvmb4bfuf"]}
    assert first.model.option_combos == {"HllvX50cXC0": OTHERS["HllvX50cXC0"]}
    assert any(OTHERS["bjDvmb4bfuf"] in body for body in posted)
    assert not any(usual in body for body in posted for usual in OTHERS)


def test_a_server_without_its_default_object_is_no_dhis2() -> None:
    with pytest.raises(UnexpectedAnswer, match="0 of the categoryCombos are named default"):
        default_objects({}, "to")
