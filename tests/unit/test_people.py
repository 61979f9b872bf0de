"""Whatever is asked for by UID comes whole, or is named as missing."""

from __future__ import annotations

import pytest

from builders import event, person
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from scripted_server import Reply, Request, as_json, of_version, scripted
from tracker_sync.reading.people import Batch, read_events, read_people


SURVEILLANCE = "programSurv"
UIDS = ["event000001", "event000002", "event000003"]


def events_page(*uids: str) -> Reply:
    events = [event(uid, program=SURVEILLANCE) for uid in uids]
    return as_json({"pager": {"page": 1}, "events": events})


def read(*answers: Reply, at_once: int = 300) -> tuple[list[Batch], list[Request]]:
    replies = iter(answers)
    script = of_version("2.43.1", lambda _: next(replies))
    with scripted(script) as server, Dhis2Client(server.url) as client:
        batches = [*read_events(client, UIDS, SURVEILLANCE, at_once)]
    return batches, server.requests[1:]


def test_events_without_registration_are_read_by_uid_within_their_program() -> None:
    batches, requests = read(events_page(*UIDS[:2]), events_page(*UIDS[2:]), at_once=2)

    assert [request.path for request in requests] == ["/api/tracker/events"] * 2
    assert [request.query["events"] for request in requests] == ["event000001,event000002", UIDS[2]]
    for request in requests:
        assert request.query["program"] == SURVEILLANCE
        assert request.query["includeDeleted"] == "true"
    came = [row["event"] for batch in batches for row in batch.rows.to_pylist()]
    assert came == UIDS
    assert not any(batch.absent for batch in batches)


def test_an_event_that_does_not_come_twice_is_named() -> None:
    (batch,), requests = read(events_page(*UIDS[:2]), events_page())

    assert batch.absent == {UIDS[2]}
    assert requests[-1].query["events"] == UIDS[2]


def test_an_event_nobody_asked_for_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="others came"):
        read(events_page("event000009"))


@pytest.mark.parametrize("in_parallel", [1, 3])
def test_who_did_not_come_is_asked_for_again_while_others_are_under_way(in_parallel: int) -> None:
    """A page of 2.40 may end early, for it counts enrollments (measured: Reading)."""
    uids = [f"person{number:05}" for number in range(9)]

    def short(request: Request) -> Reply:
        first, *_ = request.query["trackedEntities"].split(",")
        return as_json({"pager": {"page": 1}, "trackedEntities": [person(first)]})

    with scripted(of_version("2.43.1", short)) as server, Dhis2Client(server.url) as client:
        batches = [*read_people(client, uids, at_once=3, in_parallel=in_parallel)]

    came = [[row["trackedEntity"] for row in batch.rows.to_pylist()] for batch in batches]
    assert came == [uids[:3], uids[3:6], uids[6:]]
    assert not any(batch.absent for batch in batches)
