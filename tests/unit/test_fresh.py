"""A batch that nobody has met goes out and is accounted for as columns, as one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    MODEL,
    NOTE,
    PROGRAM,
    enrollment,
    event,
    lone_event,
    lone_trees,
    page,
    person,
    trees,
)
from dhis2_api.client import Dhis2Client
from dhis2_api.importer import ImportReport, Ref
from scripted_server import Reply, Request, as_json, of_version, scripted
from tracker_sync.ledger import as_table
from tracker_sync.loading.batch import load_batch
from tracker_sync.loading.fresh import Fresh, fresh_of
from tracker_sync.outcome import Outcome, with_stamp
from tracker_sync.planning.objects import Tree
from tracker_sync.planning.plan import Past, Planned, plan
from tracker_sync.sending.delivery import accounted, request_of
from tracker_sync.sending.destination import Destination


NOTHING_KNOWN = Past({}, 7, MODEL)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


def some(number_of: int = 3, **changes: Any) -> list[dict[str, Any]]:
    """Return people with an enrollment and two events each, every one with its own stamp."""
    stamps = ({"updatedAt": f"2026-11-30T10:{minute:02}:00.000"} for minute in count())
    return [
        person(
            f"person0000{number}",
            **next(stamps),
            enrollments=[
                enrollment(
                    f"enroll0000{number}",
                    **next(stamps),
                    trackedEntity=f"person0000{number}",
                    events=[
                        event(f"event00{number}00{one}", **next(stamps), **changes)
                        for one in (1, 2)
                    ],
                )
            ],
        )
        for number in range(number_of)
    ]


def planned_of(batch: Sequence[Tree]) -> list[Planned]:
    return [item for tree in batch for item in plan(tree, None, NOTHING_KNOWN)]


def columns_of(batch: Sequence[Tree]) -> Fresh:
    fresh = fresh_of(batch)
    assert fresh is not None
    return fresh


@given(
    st.lists(
        st.tuples(TEXTS, st.sampled_from(["ACTIVE", "COMPLETED"]), TEXTS), min_size=2, max_size=6
    ),
    st.sampled_from([1, -1]),
    st.integers(0, 2),
)
def test_the_request_is_the_one_that_is_made_object_by_object(
    events: list[tuple[str, str, str]], order: int, left_out: int
) -> None:
    made = [
        event(
            f"event00000{number}",
            status=status,
            completedAt=completed or None,
            dataValues=[{"dataElement": NOTE, "value": text}],
        )
        for number, (text, status, completed) in enumerate(events)
    ]
    one = person(enrollments=[enrollment(events=made)])
    two = [lone_event(f"alone00000{number}") for number in range(3)]
    chosen = [*trees(one), *lone_trees(*two)]
    del chosen[left_out + 1]

    sent = columns_of(chosen[::order]).request()

    assert json.loads(sent)["events"]
    assert sent == request_of(planned_of(chosen[::order]))


def test_the_lines_are_those_that_are_made_object_by_object() -> None:
    made = some(status="COMPLETED")
    batch = trees(*made)
    fresh = columns_of(batch)
    report = ImportReport(frozenset(fresh.refs), {})
    stamps = {item.ref: item.updated_at for tree in batch for item in tree.objects}
    expected = [with_stamp(line, stamps[line.ref]) for line in accounted(planned_of(batch), report)]

    with (
        scripted(of_version("2.42.4", lambda _: Reply(200, page(*made)))) as server,
        Dhis2Client(server.url) as client,
    ):
        lines = fresh.all_stored(client, batch, report)

    assert len({*stamps.values()}) == 12
    assert lines is not None
    assert lines.equals(as_table(expected))


def test_what_is_not_all_stored_or_not_seen_has_no_lines_yet() -> None:
    made = some()
    batch = trees(*made)
    fresh = columns_of(batch)
    all_of_them = frozenset(fresh.refs)
    one = fresh.refs[-1]

    def but_one(request: Request) -> Reply:
        asked = request.query["trackedEntities"].split(",")
        return Reply(200, page(*(of for of in made[1:] if of["trackedEntity"] in asked)))

    with (
        scripted(of_version("2.42.4", but_one)) as server,
        Dhis2Client(server.url) as client,
    ):
        refused = ImportReport(all_of_them - {one}, {one: ("E1125",)})
        assert fresh.all_stored(client, batch, refused) is None
        assert fresh.all_stored(client, batch, ImportReport(all_of_them - {one}, {})) is None
        assert not server.requests
        assert fresh.all_stored(client, batch, ImportReport(all_of_them, {})) is None
        assert server.requests


@pytest.mark.parametrize(
    "changes",
    [{"deleted": True}, {"dataValues": [{"dataElement": NOTE, "value": "a\0b"}]}],
    ids=["deleted", "refused"],
)
def test_what_does_not_go_as_it_is_goes_object_by_object(changes: dict[str, Any]) -> None:
    assert fresh_of(trees(*some()))

    assert fresh_of(trees(*some(), *some(1, **changes))) is None


def test_what_comes_twice_or_alone_or_was_changed_goes_object_by_object() -> None:
    batch = trees(*some())
    changed = replace(batch[0], objects=tuple(batch[0].objects))

    assert changed == batch[0]
    assert fresh_of([*batch, batch[0]]) is None
    assert fresh_of([changed, *batch[1:]]) is None
    assert fresh_of(trees(person(enrollments=[]))) is None
    assert fresh_of([]) is None


def test_a_refusal_among_many_is_accounted_for_and_nothing_is_sent_twice() -> None:
    made = some()
    posts: list[dict[str, Any]] = []

    def script(request: Request) -> Reply:
        if request.method == "GET":
            there = made if posts and request.path.endswith("trackedEntities") else []
            return Reply(200, page(*there).replace(b"trackedEntities", request.path[13:].encode()))
        posts.append(request.body)
        return as_json(report_with_a_refusal(request.body))

    with (
        scripted(of_version("2.42.4", script)) as server,
        Dhis2Client(server.url) as client,
    ):
        lines = load_batch(Destination(client, (PROGRAM,)), trees(*made), NOTHING_KNOWN)

    assert len(posts) == 1
    assert len(posts[0]["events"]) == 6
    refused = {line.ref: line.code for line in lines if line.outcome is Outcome.REFUSED}
    assert refused == {Ref("EVENT", posts[0]["events"][0]["event"]): "E1125"}
    assert len([line for line in lines if line.outcome is Outcome.STORED]) == 11
    assert all(line.destination_updated_at for line in lines)


def report_with_a_refusal(body: dict[str, Any]) -> dict[str, Any]:
    keys = {
        "TRACKED_ENTITY": ("trackedEntities", "trackedEntity"),
        "ENROLLMENT": ("enrollments", "enrollment"),
        "EVENT": ("events", "event"),
    }
    first = {"trackerType": "EVENT", "uid": body["events"][0]["event"]}
    types = {
        kind: {
            "objectReports": [
                stored
                for row in body[name]
                if (stored := {"trackerType": kind, "uid": row[key]}) != first
            ]
        }
        for kind, (name, key) in keys.items()
    }
    refusal = {**first, "errorCode": "E1125", "message": ""}
    return {
        "status": "WARNING",
        "validationReport": {"errorReports": [refusal], "warningReports": []},
        "bundleReport": {"typeReportMap": types},
    }
