"""A load that is cleared with its extract does not take its own first try for somebody's edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dhis2_sandbox.versions import DIALECTS
from road import SLICE, Road, road_of
from servers import HIV
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.steps.extract import extract
from tracker_sync.steps.transform import transform


AWA, ENROLLMENT = "tIazUHAG6ZW", "dwHeBezZZ6t"


@pytest.fixture(params=sorted(DIALECTS))
def road(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with road_of(tmp_path, request.param, HIV) as road:
        yield replace(road, terms={"destination_edits": "keep"})


def occurred(road: Road, day: str) -> None:
    path = f"/api/tracker/enrollments/{ENROLLMENT}"
    held: dict[str, Any] = road.source.get(path, {"fields": "*,!relationships,!notes,!events"})
    edited = {"enrollments": [{**held, "occurredAt": f"{day}T00:00:00.000"}]}
    answer = road.source.post("/api/tracker", edited, {"async": "false"})
    assert answer.json()["status"] == "OK"


def enrollment_of(ledger: list[Entry]) -> Entry:
    (line,) = (entry for entry in ledger if entry.ref.uid == ENROLLMENT)
    return line


def test_what_the_run_wrote_in_an_earlier_try_is_no_edit(road: Road) -> None:
    road.loaded("one", AWA)
    occurred(road, "2020-02-02")
    first = enrollment_of(road.loaded("two", AWA))
    occurred(road, "2020-02-03")

    workspace = road.workspace("two")
    staged = extract(road.source, road.route, workspace, SLICE, 2).package
    again = enrollment_of(road.load("two", transform(workspace, staged).package))

    assert (first.outcome, first.action) == (Outcome.STORED, "changed")
    assert (again.outcome, again.action) == (Outcome.STORED, "changed")
