"""A run covers what earlier runs left, and never loses a minute between two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhis2_api.errors import PermanentError
from tracker_sync.windows.asked_span import AskedSpan
from tracker_sync.windows.watermark import moved
from tracker_sync.windows.window import Occasion, RunType, Window, window_of


MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)
TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
NOW = WEDNESDAY + timedelta(minutes=3)
HOUR = timedelta(hours=1)
RUN_TYPES: tuple[RunType, ...] = ("scheduled", "manual", "backfill")
GREENWICH = ZoneInfo("UTC")

# Clocks that change by an hour on both sides of the equator, by half an hour (Lord Howe), or
# never; with the hours around one change of each kind.
CHANGES = {
    "Europe/Oslo": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
    "America/New_York": ("2026-03-08T07:00Z", "2026-11-01T06:00Z"),
    "Australia/Lord_Howe": ("2026-10-03T15:30Z", "2026-04-04T15:00Z"),
    "America/Asuncion": ("2023-10-01T04:00Z", "2024-03-24T03:00Z"),
    "Africa/Cairo": ("2026-04-23T22:00Z", "2026-10-29T21:00Z"),
    "Asia/Kathmandu": ("2026-03-29T01:00Z", "2026-10-25T01:00Z"),
}

instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)
lengths = st.timedeltas(timedelta(0), timedelta(days=3))


def drawn(occasion: Occasion, now: datetime = NOW, *, baseline: bool = False) -> Window:
    return window_of(occasion, "key", now, baseline=baseline)


class TestWithoutAWatermark:
    """Everything is read, unless nobody can have meant that."""

    @pytest.mark.parametrize(("run_type", "end"), [("scheduled", WEDNESDAY), ("manual", NOW)])
    def test_everything_is_read(self, run_type: RunType, end: datetime) -> None:
        window = drawn(Occasion(run_type, TUESDAY, WEDNESDAY))

        assert window == Window(None, end, None, moves=True)
        assert window.read_from(HOUR, GREENWICH) is None

    def test_a_run_without_an_interval_says_so(self) -> None:
        with pytest.raises(PermanentError, match=r"neither a data interval nor a watermark.*allow"):
            drawn(Occasion("manual"))

    def test_a_run_without_an_interval_reads_everything_if_the_route_allows(self) -> None:
        window = drawn(Occasion("manual"), baseline=True)

        assert window == Window(None, NOW, None, moves=True)

    def test_an_asked_beginning_is_enough_and_moves_nothing(self) -> None:
        window = drawn(Occasion("manual", asked=AskedSpan(MONDAY)))

        assert window == Window(MONDAY, NOW, None, moves=False)


class TestScheduled:
    """A run of the schedule repairs what failed nights left."""

    def test_it_reads_from_the_watermark_when_nights_have_failed(self) -> None:
        window = drawn(Occasion("scheduled", TUESDAY, WEDNESDAY, {"key": MONDAY}))

        assert window == Window(MONDAY, WEDNESDAY, MONDAY, moves=True)

    def test_it_reads_its_whole_interval_though_a_run_by_hand_came_between(self) -> None:
        by_hand = WEDNESDAY + timedelta(minutes=2)

        window = drawn(Occasion("scheduled", TUESDAY, WEDNESDAY, {"key": by_hand}))

        assert (window.start, window.end) == (TUESDAY, WEDNESDAY)
        assert moved({"key": by_hand}, {"key": window}) == {"key": by_hand}

    def test_it_ends_at_the_sources_now_if_its_clock_is_behind(self) -> None:
        window = drawn(Occasion("scheduled", TUESDAY, WEDNESDAY, {"key": MONDAY}), TUESDAY)

        assert window.end == TUESDAY


class TestByHand:
    """A run by hand reads up to now, or what it was asked for."""

    def test_it_reads_from_the_watermark_to_now(self) -> None:
        window = drawn(Occasion("manual", MONDAY, TUESDAY, {"key": TUESDAY}))

        assert window == Window(TUESDAY, NOW, TUESDAY, moves=True)

    def test_an_asked_span_that_joins_what_is_accounted_for_moves_the_watermark(self) -> None:
        asked = AskedSpan(MONDAY, WEDNESDAY)

        window = drawn(Occasion("manual", watermarks={"key": TUESDAY}, asked=asked))

        assert window == Window(MONDAY, WEDNESDAY, TUESDAY, moves=True)

    def test_an_asked_span_beyond_the_watermark_leaves_the_gap_open(self) -> None:
        asked = AskedSpan(TUESDAY, WEDNESDAY)

        window = drawn(Occasion("manual", watermarks={"key": MONDAY}, asked=asked))

        assert window == Window(TUESDAY, WEDNESDAY, MONDAY, moves=False)

    @pytest.mark.parametrize("asked", [AskedSpan(NOW + HOUR), AskedSpan(MONDAY, NOW + HOUR)])
    def test_the_future_cannot_be_asked_for(self, asked: AskedSpan) -> None:
        with pytest.raises(PermanentError, match="after the source's now"):
            drawn(Occasion("manual", watermarks={"key": TUESDAY}, asked=asked))


class TestBackfill:
    """A backfill reads its own dates alone."""

    def test_it_reads_its_interval_alone_and_moves_nothing(self) -> None:
        window = drawn(Occasion("backfill", MONDAY, TUESDAY, {"key": WEDNESDAY}))

        assert window == Window(MONDAY, TUESDAY, WEDNESDAY, moves=False)
        assert window.holds(MONDAY, MONDAY)
        assert not window.holds(TUESDAY, TUESDAY)  # an earlier window has covered it
        assert window.holds(WEDNESDAY, WEDNESDAY)  # nobody has

    def test_without_an_interval_it_says_so(self) -> None:
        with pytest.raises(PermanentError, match="no data interval"):
            drawn(Occasion("backfill", watermarks={"key": TUESDAY}), baseline=True)

    def test_it_takes_no_other_dates(self) -> None:
        with pytest.raises(PermanentError, match="leave `from` and `to` empty"):
            drawn(Occasion("backfill", MONDAY, TUESDAY, asked=AskedSpan(MONDAY)))


class TestHolds:
    """A record that an accounted window covers is somebody else's business."""

    @pytest.mark.parametrize(
        ("earliest", "latest"), [(MONDAY, TUESDAY + HOUR), (TUESDAY + HOUR, WEDNESDAY + HOUR)]
    )
    def test_an_ambiguous_record_is_held_if_either_reading_is(
        self, earliest: datetime, latest: datetime
    ) -> None:
        window = drawn(Occasion("backfill", MONDAY, TUESDAY, {"key": WEDNESDAY}))

        assert window.holds(earliest, latest)
        assert not window.holds(TUESDAY + HOUR, TUESDAY + 2 * HOUR)


def test_a_watermark_in_the_future_is_taken_for_now() -> None:
    window = drawn(Occasion("manual", watermarks={"key": NOW + timedelta(days=30)}))

    assert window == Window(NOW, NOW, NOW, moves=True)


@given(
    run_type=st.sampled_from(RUN_TYPES),
    start=instants,
    length=lengths,
    now=instants,
    watermark=st.none() | instants,
)
def test_a_watermark_never_goes_back_nor_into_the_future_nor_over_a_gap(
    run_type: RunType, start: datetime, length: timedelta, now: datetime, watermark: datetime | None
) -> None:
    watermark = watermark and min(watermark, now)
    marks = {"key": watermark} if watermark else {}

    window = drawn(Occasion(run_type, start, start + length, marks), now)

    assert window.end <= now
    assert window.start is None or window.start <= window.end
    if not window.moves:
        return
    after = moved(marks, {"key": window})["key"]
    assert after <= now
    assert watermark is None or after >= watermark
    assert window.start is None or watermark is None or window.start <= watermark


@given(watermark=instants, start=instants, stamp=instants)
def test_no_stamp_between_two_windows_is_left_out(
    watermark: datetime, start: datetime, stamp: datetime
) -> None:
    now = max(watermark, start, stamp)
    occasion = Occasion("scheduled", start, start + timedelta(days=1), {"key": watermark})

    window = drawn(occasion, now)

    lower = window.read_from(timedelta(0), GREENWICH)
    covered_before = stamp < watermark
    assert covered_before or (lower is not None and lower <= stamp and window.holds(stamp, stamp))


@given(
    zone=st.sampled_from(sorted(CHANGES)),
    change=st.sampled_from([0, 1]),
    begins=st.timedeltas(timedelta(hours=-4), timedelta(hours=4)),
    later=st.timedeltas(timedelta(0), timedelta(hours=6)),
    overlap=st.timedeltas(timedelta(0), timedelta(hours=2)),
)
def test_no_record_of_the_window_has_a_text_before_the_bounds(
    zone: str, change: int, begins: timedelta, later: timedelta, overlap: timedelta
) -> None:
    start = datetime.fromisoformat(CHANGES[zone][change]) + begins
    stamp = start - overlap + later

    bound = Window(start, start, None, moves=True).read_from(overlap, ZoneInfo(zone))

    assert bound is not None
    assert text_of(stamp, zone) >= text_of(bound, zone)
    assert start - overlap - bound <= HOUR


def test_in_the_first_pass_of_a_repeated_hour_the_read_begins_that_hour_earlier() -> None:
    oslo = ZoneInfo("Europe/Oslo")
    first_pass = datetime(2026, 10, 25, 2, 50, tzinfo=oslo).astimezone(UTC)
    twenty_minutes_on = first_pass + timedelta(minutes=20)
    assert text_of(twenty_minutes_on, "Europe/Oslo") < text_of(first_pass, "Europe/Oslo")

    bound = Window(first_pass, NOW, None, moves=True).read_from(timedelta(0), oslo)

    assert bound == first_pass - HOUR


def text_of(instant: datetime, zone: str) -> str:
    """What a server of that zone makes of an instant, and compares."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
