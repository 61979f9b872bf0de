"""The window: which span of time a run covers.

All times are instants, the clock is the source server's, and the span is
half-open. The read begins a little before the window, because a stamp is taken
before its record is committed; reading something twice is harmless, not reading
it is not. There is no upper bound in any query: it loses records (measured).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dhis2_api.errors import PermanentError
from tracker_sync.windows.asked_span import AskedSpan
from tracker_sync.windows.clocks import Clocks


RunType = Literal["scheduled", "manual", "backfill"]
_Span = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a run happens, and how far the runs before it came.

    Attributes:
        run_type: Who asked for it.
        start: The start of its data interval, where it has one.
        end: The end of its data interval, where it has one.
        watermarks: Up to where all is accounted for, by key, see `watermark`.
        asked: The span that whoever started the run asked for.
        clocks: Both servers' clocks, for the run that settles to keep.
        drawn_back: By how much earlier every read begins, because the source's clock fell.
    """

    run_type: RunType
    start: datetime | None = None
    end: datetime | None = None
    watermarks: Mapping[str, datetime] = field(default_factory=dict)
    asked: AskedSpan = field(default_factory=AskedSpan)
    clocks: Clocks | None = None
    drawn_back: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Window:
    """What one program's read covers.

    Attributes:
        start: Where it begins; nothing means everything, a baseline.
        end: Where it ends; what is newer is loaded too, if no earlier window covers it.
        covered: Up to where earlier windows were accounted for.
        moves: Whether the watermark may move to `end` when all is accounted for.
    """

    start: datetime | None
    end: datetime
    covered: datetime | None
    moves: bool

    def read_from(self, overlap: timedelta, zone: ZoneInfo) -> datetime | None:
        """Return the lower bound of the read; nothing for a baseline.

        The server compares texts of its own zone's time with the text it makes of the
        bound. In the first pass of an hour that a clock change repeats, records of the
        second pass have texts before it: the bound is drawn back by that hour.

        Args:
            overlap: How much older than its commit a stamp may be.
            zone: The zone of the source's stamps.
        """
        if self.start is None:
            return None
        bound = self.start - overlap
        second_pass = bound.astimezone(zone).replace(fold=1).astimezone(UTC)
        return bound - (second_pass - bound)  # nothing, but in the first pass of such an hour

    def holds(self, earliest: datetime, latest: datetime) -> bool:
        """Whether a record is this run's business, once read.

        Args:
            earliest: Its stamp, read as the earlier of the instants it may stand for.
            latest: The same, read as the later one; another only in a repeated hour.
        """
        return not (self.covered and self.end <= earliest and latest < self.covered)

    def joins(self, watermark: datetime | None) -> bool:
        """Whether nothing lies between what was accounted for up to now and this window."""
        return self.start is None or (watermark is not None and self.start <= watermark)


def window_of(occasion: Occasion, key: str, now: datetime, *, baseline: bool) -> Window:
    """Return the window of a run.

    A scheduled run covers what failed nights left: from the watermark, or from its
    interval's start if that is earlier. A run by hand covers the watermark to now, or
    what it was asked for. A backfill covers its own interval alone, and moves nothing.
    No window ends after the source's now, nor moves a watermark over a gap.

    Args:
        occasion: Why the run happens.
        key: What the watermark is kept under; without one everything is read.
        now: The source server's clock.
        baseline: Whether a run without an interval may read everything.

    Raises:
        PermanentError: It is not clear what the run is to read.
    """
    occasion.asked.require_past(now)
    watermark = occasion.watermarks.get(key)
    if watermark is not None:
        watermark = min(watermark, now)  # the source's clock was set back
    start, end = _SPANS[occasion.run_type](occasion, watermark)
    end = min(end or now, now)
    if start is None and not (baseline or occasion.end):
        raise PermanentError(
            "this run has neither a data interval nor a watermark, so it would read everything: "
            "start it with a logical date, or with `from`, or write `baseline: allow` in the route"
        )
    window = Window(start and min(start, end), end, watermark, moves=False)
    moves = occasion.run_type != "backfill" and window.joins(watermark)
    return Window(window.start, end, watermark, moves)


def _of_schedule(occasion: Occasion, watermark: datetime | None) -> _Span:
    if watermark and occasion.start:
        return min(watermark, occasion.start), occasion.end
    return watermark, occasion.end


def _by_hand(occasion: Occasion, watermark: datetime | None) -> _Span:
    return occasion.asked.start or watermark, occasion.asked.end


def _of_backfill(occasion: Occasion, _: datetime | None) -> _Span:
    if occasion.start is None or occasion.end is None:
        raise PermanentError("this backfill has no data interval: give the route a schedule")
    if occasion.asked != AskedSpan():
        raise PermanentError("a backfill reads its own dates: leave `from` and `to` empty")
    return occasion.start, occasion.end


_SPANS: Mapping[RunType, Callable[[Occasion, datetime | None], _Span]] = {
    "scheduled": _of_schedule,
    "manual": _by_hand,
    "backfill": _of_backfill,
}
