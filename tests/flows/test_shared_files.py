"""A file that two objects name is uploaded once, and nobody calls that an error of the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from flows.expected import assert_equal
from flows.people import (
    AWA,
    BINTA,
    LABORATORY,
    MBOUR,
    PODOR,
    REPORT,
    enrollment,
    event_of,
    person,
    visit,
)
from flows.world import World
from servers import OLDEST_AND_NEWEST


FILE = "FileReport1"


pytestmark = pytest.mark.parametrize("ground", OLDEST_AND_NEWEST, indirect=True)


def checked(uid: str, place: str, number: int) -> dict[str, Any]:
    """Return an event that has the laboratory's report."""
    values = [{"dataElement": REPORT, "value": FILE}]
    return visit(uid, place, number, programStage=LABORATORY, dataValues=values)


def with_report(uid: str = AWA, place: str = MBOUR, numbers: tuple[int, ...] = (2,)) -> Any:
    """Return a person whose events have it."""
    events = [checked(uid, place, number) for number in numbers]
    return person(uid, place, enrollments=[enrollment(uid, place, events=events)])


def named_there(world: World, *events: str) -> list[str]:
    there = world.destination.holds()
    return [
        there["value", event, REPORT][0] for event in events if ("value", event, REPORT) in there
    ]


def uploads(world: World) -> int:
    """How often the destination was asked to keep a file since this was ordered."""
    return int(world.destination.faults.told()[0]["met"])


def count_uploads(world: World) -> None:
    world.destination.faults.order(
        "latency", method="POST", path="/api/fileResources", seconds=0, times=None
    )


@pytest.mark.parametrize(
    "people", [[with_report(numbers=(2, 3))], [with_report(), with_report(BINTA)]]
)
def test_a_file_that_two_events_name_is_uploaded_once_and_both_have_it(
    world: World, people: list[Any]
) -> None:
    world.source.upload(FILE, b"one report for both")
    world.source.write(trackedEntities=people)
    events = [event["event"] for each in people for event in each["enrollments"][0]["events"]]
    count_uploads(world)

    run = world.run(refused="fail")

    assert len(events) == 2
    assert named_there(world, *events) == [FILE, FILE]
    assert world.destination.holds()["file", FILE] == b"one report for both"
    assert (run.problems, run.totals["refused"], uploads(world)) == ((), 0, 1)
    assert run.report["kinds"]["FILE"]["created"] == run.report["kinds"]["FILE"]["read"] == 1
    assert_equal(world)


def test_where_dhis2_gives_a_file_to_one_alone_the_other_is_refused_and_named_once(
    world: World,
) -> None:
    world.source.upload(FILE, b"one report for both")
    world.source.write(trackedEntities=[with_report(), with_report(BINTA, PODOR)])
    count_uploads(world)

    run, again = world.run(refused="fail"), world.run(refused="fail")

    assert len(run.slices) == 2
    assert named_there(world, event_of(AWA, 2), event_of(BINTA, 2)) == [FILE]
    (event,) = run.refused
    assert run.refused[event] == ("refused", "E1009")
    assert len(run.problems) == 1
    assert "E1009" in run.problems[0]
    assert run.report["kinds"]["FILE"]["read"] == run.report["kinds"]["FILE"]["created"] == 1
    assert run.totals["missing"] == 0
    assert (again.problems, again.refused[event], uploads(world)) == ((), run.refused[event], 1)
