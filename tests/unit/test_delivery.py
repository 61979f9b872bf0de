"""Every object that is sent comes back with its outcome, whatever the server does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import MODEL, enrollment, event, person, trees
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import Dhis2Error, RequestRefused, TransientError, Unauthorized
from dhis2_api.importer import ImportReport, Ref
from scripted_server import Reply, Request, as_json, scripted
from tracker_sync.leases.lease import HeldByAnother
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.plan import Past, Planned, plan
from tracker_sync.sending.delivery import account, deliver


NOW = datetime(2026, 11, 24, 13, tzinfo=UTC)
KINDS = {"trackedEntities": ("TRACKED_ENTITY", "trackedEntity")}
KINDS |= {"enrollments": ("ENROLLMENT", "enrollment"), "events": ("EVENT", "event")}


def planned(count: int) -> list[Planned]:
    people = [
        person(
            f"person{i:05}",
            enrollments=[enrollment(f"enroll{i:05}", events=[event(f"event{i:06}")])],
        )
        for i in range(count)
    ]
    return [item for tree in trees(*people) for item in plan(tree, None, Past({}, 1, MODEL))]


def uids(body: dict[str, Any]) -> set[str]:
    return {item[KINDS[name][1]] for name, items in body.items() for item in items}


def stored(body: dict[str, Any]) -> Reply:
    reports = {
        kind: {"objectReports": [{"trackerType": kind, "uid": item[key]} for item in body[name]]}
        for name, (kind, key) in KINDS.items()
        if name in body
    }
    validation: dict[str, list[Any]] = {"errorReports": [], "warningReports": []}
    bundle = {"typeReportMap": reports}
    return as_json({"status": "OK", "validationReport": validation, "bundleReport": bundle})


def one_poisoned(request: Request) -> Reply:
    poisoned = "event000001" in uids(request.body)
    return as_json({"status": "ERROR"}, 500) if poisoned else stored(request.body)


def lost_after(requests: int) -> Callable[[], None]:
    """Return what is asked before each write, and loses the lease after so many."""
    left = iter(range(requests))

    def keep() -> None:
        if next(left, None) is None:
            raise HeldByAnother("taken over")

    return keep


@settings(max_examples=15, deadline=None)
@given(poison=st.sets(st.sampled_from([f"event{i:06}" for i in range(8)]), max_size=3))
def test_a_poisoned_record_never_blocks_its_neighbours(poison: set[str]) -> None:
    """A NUL in one value loses the whole request (recordings: 372-scenario-nul-neighbours)."""

    def script(request: Request) -> Reply:
        return (
            as_json({"status": "ERROR"}, 500)
            if uids(request.body) & poison
            else stored(request.body)
        )

    with scripted(script) as server, Dhis2Client(server.url) as client:
        entries = deliver(client, planned(8))

    assert len(entries) == 24
    refused = {entry.ref.uid for entry in entries if entry.outcome is Outcome.REFUSED}
    assert refused == poison
    assert all(entry.outcome is Outcome.STORED for entry in entries if entry.ref.uid not in poison)
    # Each poison costs its halves, and an empty request that shows the server is well.
    assert len(server.requests) <= 1 + (2 * 5 + 1) * max(1, len(poison))


def test_what_a_firewall_takes_for_an_attack_never_blocks_its_neighbours() -> None:
    """It answers before the server is asked, and knows nothing of objects."""

    def script(request: Request) -> Reply:
        if "event000003" in uids(request.body):
            return Reply(403, b"<html>Forbidden</html>", "text/html")
        return stored(request.body)

    with scripted(script) as server, Dhis2Client(server.url) as client:
        entries = deliver(client, planned(8))

    assert len(entries) == 24
    refused = {entry.ref.uid: entry.code for entry in entries if entry.outcome is Outcome.REFUSED}
    assert refused == {"event000003": "SYNC_REQUEST_REFUSED"}
    assert len([entry for entry in entries if entry.outcome is Outcome.STORED]) == 23
    assert {} in [request.body for request in server.requests]


def test_a_lease_lost_between_two_halves_stops_the_second() -> None:
    with scripted(one_poisoned) as server, Dhis2Client(server.url) as client:
        with pytest.raises(HeldByAnother):
            deliver(client, planned(2), lost_after(2))

    sent = [uids(request.body) for request in server.requests]
    assert len(sent) == 2
    assert sent[1] < sent[0]


def test_nobody_asks_a_server_whether_it_is_well_without_the_lease() -> None:
    (person, *_) = planned(1)

    with scripted(lambda _: as_json({}, 500)) as server, Dhis2Client(server.url) as client:
        with pytest.raises(HeldByAnother):
            deliver(client, [person], lost_after(1))

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, TransientError),
        (404, RequestRefused),
        (409, RequestRefused),
        (401, Unauthorized),
        (403, Unauthorized),
    ],
)
def test_a_server_that_is_ill_refuses_nobody(status: int, error: type[Dhis2Error]) -> None:
    ill = as_json({"status": "ERROR"}, status)
    with scripted(lambda _: ill) as server, Dhis2Client(server.url) as client:
        with pytest.raises(error):
            deliver(client, planned(8))

    assert len(server.requests) < 10


def test_what_the_report_leaves_out_is_missing() -> None:
    with scripted(lambda request: stored({"events": request.body["events"]})) as server:
        with Dhis2Client(server.url) as client:
            entries = deliver(client, planned(1))

    assert {entry.ref.kind: entry.outcome for entry in entries} == {
        "TRACKED_ENTITY": Outcome.MISSING,
        "ENROLLMENT": Outcome.MISSING,
        "EVENT": Outcome.STORED,
    }


def test_the_event_of_a_refused_persons_enrollment_is_refused_though_no_report_names_it() -> None:
    """As 2.42.4 does it (recordings: 083-refused-E5000-children-of-a-refused-parent)."""
    errors = [
        {"trackerType": "TRACKED_ENTITY", "uid": "person00000", "errorCode": "E1049"},
        {"trackerType": "ENROLLMENT", "uid": "enroll00000", "errorCode": "E5000"},
    ]
    validation = {"errorReports": errors, "warningReports": []}
    report = {"status": "OK", "validationReport": validation, "bundleReport": {"typeReportMap": {}}}

    with scripted(lambda _: as_json(report)) as server, Dhis2Client(server.url) as client:
        entries = deliver(client, planned(1))

    assert {entry.ref.kind: entry.code for entry in entries} == {
        "TRACKED_ENTITY": "E1049",
        "ENROLLMENT": "E5000",
        "EVENT": "E5000",
    }
    assert {entry.outcome for entry in entries} == {Outcome.REFUSED}


refs = st.sets(st.sampled_from([Ref("EVENT", uid) for uid in "ABCD"]))


@given(sent=refs, stored_refs=refs, refused=refs)
def test_nothing_is_lost_and_nothing_is_counted_twice(
    sent: set[Ref], stored_refs: set[Ref], refused: set[Ref]
) -> None:
    report = ImportReport(frozenset(stored_refs), dict.fromkeys(refused, ("E1",)))

    entries = [account(Entry(ref, "p", Outcome.MISSING), report) for ref in sent]

    outcomes = {entry.ref: entry.outcome for entry in entries}
    assert outcomes.keys() == sent
    assert {
        ref for ref, outcome in outcomes.items() if outcome is Outcome.REFUSED
    } == sent & refused
    stays = sent - refused - stored_refs
    assert {ref for ref, outcome in outcomes.items() if outcome is Outcome.MISSING} == stays
