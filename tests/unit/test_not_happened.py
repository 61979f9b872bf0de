"""Values of events that did not take place are left out, counted and named; all others stay."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from builders import NOTE, WEIGHT, enrollment, event, person, staged
from tracker_sync.bundling.not_happened import LeftOut, part
from tracker_sync.staging.package import open_package
from unit.test_transform import made, somebody, trees


VALUES = [{"dataElement": WEIGHT, "value": "60"}, {"dataElement": NOTE, "value": ""}]


def test_only_values_of_living_events_count_and_empty_ones_do_not() -> None:
    planned = event("event000001", status="SCHEDULE", dataValues=VALUES)
    gone = event("event000002", status="SKIPPED", dataValues=VALUES, deleted=True)
    seen = event("event000003", status="ACTIVE", dataValues=VALUES)
    tables = staged(person(enrollments=[enrollment(events=[planned, gone, seen])]))
    assert tables["data_values"].num_rows == 6
    left_out = LeftOut()

    kept = left_out.of(tables)["data_values"]

    assert kept["event"].to_pylist() == ["event000003"] * 2
    assert (left_out.values, left_out.events) == (1, {"event000001"})


def test_an_event_that_came_twice_and_took_place_by_then_keeps_its_values() -> None:
    twice = [event("event000001", status=status) for status in ("SCHEDULE", "ACTIVE")]
    tables = staged(person(enrollments=[enrollment(events=twice)]))
    assert tables["data_values"].num_rows

    parted = part(tables["events"], tables["data_values"])

    assert parted.kept.equals(tables["data_values"])
    assert parted.left_out.num_rows == 0


def test_what_is_left_out_is_told_and_refuses_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {"dataElement": NOTE, "value": "a\0b"}
    with caplog.at_level(logging.WARNING):
        planned = somebody(2, status="OVERDUE", dataValues=[*VALUES, bad])
        bundles = made(tmp_path, [somebody(1)], [planned])

    items = {item.ref.uid: item for tree in trees(bundles) for item in tree.objects}
    assert open_package(bundles).notes["values_left_out"] == 2
    assert "2 values of 1 events" in caplog.text
    assert "event000002" in caplog.text
    assert "60" not in caplog.text
    assert items["event000002"].code is None
    assert '"dataValues":[]' in (items["event000002"].content or "")
    assert '"dataValues":[{' in (items["event000001"].content or "")
