"""The destination keeps the watermarks too, so that one restored from a backup rewinds itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value
from dhis2_api.errors import PermanentError
from servers import running
from tracker_sync.windows.checkpoint import NAMESPACE, BothSides, read_checkpoint, write_checkpoint
from tracker_sync.windows.window import Window


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Dhis2Client]:
    with running(tmp_path, "to") as client:
        yield client


def test_it_comes_back_as_it_was_written_and_is_written_again(server: Dhis2Client) -> None:
    before = read_checkpoint(server, "north")

    write_checkpoint(server, "north", {"one": NOON - DAY})
    write_checkpoint(server, "north", {"one": NOON, "two": NOON - DAY})

    assert before == {}
    assert read_checkpoint(server, "north") == {"one": NOON, "two": NOON - DAY}
    assert read_checkpoint(server, "south") == {}


@pytest.mark.parametrize("content", [["x"], {"one": 3}, {"one": "2026-11-24T12:00:00"}, {"a": "b"}])
def test_what_holds_no_watermarks_is_left_for_a_person(
    server: Dhis2Client, content: object
) -> None:
    create_value(server, NAMESPACE, "watermarks-north", content)

    with pytest.raises(PermanentError, match=r"`watermarks-north`.*delete it for a baseline"):
        read_checkpoint(server, "north")


def test_the_earlier_side_wins_and_what_one_side_lacks_counts_as_nothing() -> None:
    sides = BothSides(
        airflow={"both": NOON, "airflow": NOON, "restored": NOON},
        destination={"both": NOON, "destination": NOON, "restored": NOON - DAY},
    )

    assert sides.agreed() == {"both": NOON, "restored": NOON - DAY}
    assert "restored backup" in sides.finding("airflow")
    assert "new database of Airflow" in sides.finding("destination")
    assert (NOON - DAY).isoformat() in sides.finding("restored")
    assert "no watermark yet" in sides.finding("neither")
    assert sides.finding("both") == "both sides keep the same watermark"


def test_a_window_moves_both_sides_and_takes_neither_back() -> None:
    sides = BothSides({"key": NOON + DAY}, {"key": NOON - DAY})
    window = Window(NOON - DAY, NOON, NOON - DAY, moves=True)

    after = sides.moved({"key": window})

    assert after == BothSides({"key": NOON + DAY}, {"key": NOON})


def test_a_baseline_gives_a_mark_to_the_side_that_lacked_it() -> None:
    sides = BothSides({"key": NOON - DAY, "other": NOON}, {})

    after = sides.moved({"key": Window(None, NOON, None, moves=True)})

    assert after == BothSides({"key": NOON, "other": NOON}, {"key": NOON})


def test_a_window_drawn_before_a_side_lost_its_mark_moves_nothing() -> None:
    sides = BothSides({"key": NOON - DAY}, {})

    assert sides.moved({"key": Window(NOON - DAY, NOON, NOON - DAY, moves=True)}) == sides


def test_a_mark_in_the_future_is_dropped_but_for_minutes() -> None:
    minute = timedelta(minutes=1)
    sides = BothSides({"key": NOON + DAY, "near": NOON + minute}, {"key": NOON - DAY})

    assert sides.none_after(NOON) == BothSides({"near": NOON}, {"key": NOON - DAY})


def test_once_the_sources_clock_fell_a_mark_that_nobody_moved_is_drawn_back() -> None:
    before = BothSides({"ours": NOON - DAY, "other": NOON}, {"ours": NOON - DAY, "other": NOON})
    moved = BothSides({"ours": NOON, "other": NOON}, {"ours": NOON, "other": NOON})

    after = moved.drawn_back(DAY, before)

    assert after.agreed() == {"ours": NOON, "other": NOON - DAY}
