"""A source's clock that fell is found out by the destination's, and costs at most some reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from planned import planned
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.windows.clocks import Clocks


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SEEN = Clocks(source=NOON - HOUR, destination=NOON)  # they need not agree


@pytest.mark.parametrize(
    ("source", "destination", "fallen"),
    [
        (DAY, DAY, 0 * HOUR),
        (DAY - 6 * HOUR, DAY, 6 * HOUR),
        (-3 * HOUR, DAY, 27 * HOUR),
        (DAY + HOUR, DAY, 0 * HOUR),  # it leapt forward
        (DAY, DAY + HOUR, HOUR),  # the destination's did, which cannot be told apart
    ],
)
def test_it_fell_by_what_it_has_advanced_less(
    source: timedelta, destination: timedelta, fallen: timedelta
) -> None:
    now = Clocks(SEEN.source + source, SEEN.destination + destination)

    assert SEEN.fallen_until(now) == fallen


def test_a_plan_of_a_run_without_clocks_is_read_as_well(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"person00001": []})

    assert read_run_plan(workspace.plan).clocks is None
