"""A run covers what earlier runs left, and never loses a minute between two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tracker_sync.window import Occasion, window_of


MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
NOW = WEDNESDAY + timedelta(minutes=3)

instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)


def test_without_a_watermark_everything_is_read() -> None:
    for run_type in ("scheduled", "manual"):
        window = window_of(Occasion(run_type, TUESDAY, WEDNESDAY), "key", NOW)

        assert window.read_from(timedelta(hours=1)) is None
        assert window.moves


def test_a_scheduled_run_reads_from_the_watermark_when_nights_have_failed() -> None:
    occasion = Occasion("scheduled", TUESDAY, WEDNESDAY, {"key": MONDAY})

    window = window_of(occasion, "key", NOW)

    assert (window.start, window.end) == (MONDAY, WEDNESDAY)


def test_a_scheduled_run_reads_its_whole_interval_though_a_run_by_hand_came_between() -> None:
    by_hand = TUESDAY + timedelta(hours=8)

    window = window_of(Occasion("scheduled", TUESDAY, WEDNESDAY, {"key": by_hand}), "key", NOW)

    assert (window.start, window.end) == (TUESDAY, WEDNESDAY)


def test_a_run_by_hand_reads_from_the_watermark_to_now() -> None:
    window = window_of(Occasion("manual", MONDAY, TUESDAY, {"key": TUESDAY}), "key", NOW)

    assert (window.start, window.end) == (TUESDAY, NOW)


def test_a_backfill_reads_its_interval_alone_and_moves_nothing() -> None:
    window = window_of(Occasion("backfill", MONDAY, TUESDAY, {"key": WEDNESDAY}), "key", NOW)

    assert (window.start, window.end, window.moves) == (MONDAY, TUESDAY, False)
    assert window.holds(MONDAY)
    assert not window.holds(TUESDAY)  # an earlier window has covered it
    assert window.holds(WEDNESDAY)  # nobody has


def test_the_read_begins_before_the_window_because_stamps_are_older_than_their_commit() -> None:
    window = window_of(Occasion("manual", watermarks={"key": TUESDAY}), "key", NOW)

    assert window.read_from(timedelta(minutes=60)) == TUESDAY - timedelta(minutes=60)


def test_a_watermark_in_the_future_is_taken_for_now_and_mended() -> None:
    occasion = Occasion("manual", watermarks={"key": NOW + timedelta(days=30)})

    window = window_of(occasion, "key", NOW)

    assert (window.start, window.end, window.covered) == (NOW, NOW, NOW)


@given(now=instants, end=instants, watermark=st.none() | instants)
def test_a_watermark_never_goes_back_and_never_into_the_future(
    now: datetime, end: datetime, watermark: datetime | None
) -> None:
    if watermark and watermark > now:
        watermark = now
    marks = {"key": watermark} if watermark else {}

    window = window_of(Occasion("scheduled", end - timedelta(days=1), end, marks), "key", now)

    assert window.end <= now
    assert watermark is None or window.end >= watermark


@given(watermark=instants, start=instants, stamp=instants)
def test_no_stamp_between_two_windows_is_left_out(
    watermark: datetime, start: datetime, stamp: datetime
) -> None:
    now = max(watermark, start, stamp)
    occasion = Occasion("scheduled", start, start + timedelta(days=1), {"key": watermark})

    window = window_of(occasion, "key", now)

    lower = window.read_from(timedelta(0))
    covered_before = stamp < watermark
    assert covered_before or (lower is not None and lower <= stamp and window.holds(stamp))
