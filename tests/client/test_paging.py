"""The end of a list is found where it is, whatever a page says or leaves out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from client.mutations import mutated, seeded
from client.paging_server import Population, Record
from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import Dhis2Error, UnexpectedAnswer
from dhis2_api.export import Listing, listing_requests
from dhis2_api.reading import each_row, read_list
from scripted_server import Reply, Request, as_json, scripted


ZONE, UID = ZoneInfo("Etc/UTC"), "trackedEntity"
LISTING = Listing("trackedEntities", "programHIV1", ("country0001",), None, 3)


@pytest.mark.parametrize("version", VERSIONS[2:])
def test_a_full_page_that_lost_the_name_of_the_next_is_not_the_end(version: str) -> None:
    def without_next(request: Request) -> Reply:
        reply = served.answer(request)
        return replace(reply, body=reply.body.replace(b"nextPage", b"lostPage"))

    served = Population(version, [Record(f"record{i:05}", i, i) for i in range(7)], iter(()))
    (asked,) = listing_requests(LISTING, dialect_of(version))

    with scripted(without_next) as server, Dhis2Client(server.url) as client:
        rows = list(each_row(client, asked, UID))
        exactly = list(
            each_row(client, replace(asked, params={**asked.params, "pageSize": 7}), UID)
        )

    assert len(rows) == len(exactly) == 7
    assert len(served.asked) == 3 + 2


@pytest.mark.parametrize("version", VERSIONS)
def test_no_damage_to_a_page_ends_the_list_behind_it(version: str) -> None:
    random = seeded(version)
    (asked,) = listing_requests(LISTING, dialect_of(version))
    bodies: list[bytes] = []
    behind = {"record00003", "record00004"}
    seen = 0

    def script(request: Request) -> Reply:
        whole = served.answer(request)
        if request.query.get("page") != "1":
            return whole
        bodies.append(mutated(whole.body, random))
        return replace(whole, body=bodies[-1])

    served = Population(version, [Record(f"record{i:05}", i, i) for i in range(5)], iter(()))
    with scripted(script) as server, Dhis2Client(server.url) as client:
        for _ in range(250):
            with suppress(Dhis2Error):
                assert behind <= {row[UID] for row in each_row(client, asked, UID)}, bodies[-1]
                seen += 1

    assert 50 < seen < len(bodies)


def test_a_server_that_does_not_count_is_found_out() -> None:
    page = {"pager": {"page": 1}, "trackedEntities": []}

    def script(request: Request) -> Reply:
        return as_json({"version": "2.41.8"} if request.path.endswith("info") else page)

    with scripted(script) as server, Dhis2Client(server.url) as client:
        with pytest.raises(UnexpectedAnswer, match="totalPages"):
            list(read_list(client, LISTING, ZONE))


def test_a_wrong_count_is_not_followed_for_ever() -> None:
    def script(request: Request) -> Reply:
        if request.path.endswith("info"):
            return as_json({"version": "2.41.8"})
        number = int(request.query["page"])
        pages = 10**9 if number == 1 else 1
        rows = [{"trackedEntity": "a", "updatedAt": "2026-01-01", "deleted": False}]
        pager = {"page": number, "pageCount": pages}
        return as_json({"pager": pager, "trackedEntities": rows if number == 1 else []})

    with scripted(script) as server, Dhis2Client(server.url) as client:
        rows = list(read_list(client, LISTING, ZONE))

    assert len(rows) == 1
    assert len(server.requests) == 4
