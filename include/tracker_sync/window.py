"""The window: which span of time a run covers.

All times are instants, the clock is the source server's, and the span is
half-open. The read begins a little before the window, because a stamp is taken
before its record is committed; reading something twice is harmless, not reading
it is not. There is no upper bound in any query: it loses records (measured).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from tracker_sync.route import Route


RunType = Literal["scheduled", "manual", "backfill"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a run happens, and how far the runs before it came.

    Attributes:
        run_type: Who asked for it.
        start: The start of its data interval, where it has one.
        end: The end of its data interval, where it has one.
        watermarks: Up to where all is accounted for, by `watermark_key`.
    """

    run_type: RunType
    start: datetime | None = None
    end: datetime | None = None
    watermarks: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Window:
    """What one program's read covers.

    Attributes:
        start: Where it begins; nothing means everything, a baseline.
        end: Where it ends; what is newer is loaded too, if no earlier window covers it.
        covered: Up to where earlier windows were accounted for.
        moves: Whether the watermark moves to `end` when all is accounted for.
    """

    start: datetime | None
    end: datetime
    covered: datetime | None
    moves: bool

    def read_from(self, overlap: timedelta) -> datetime | None:
        """Return the lower bound of the read; nothing for a baseline."""
        return self.start - overlap if self.start else None

    def holds(self, stamp: datetime) -> bool:
        """Whether a record stamped so is this run's business, once read."""
        return not (self.covered and self.end <= stamp < self.covered)


def window_of(occasion: Occasion, key: str, now: datetime) -> Window:
    """Return the window of a run.

    A scheduled run covers what failed nights left: from the watermark, or from its
    interval's start if that is earlier. A run by hand covers the watermark to now.
    Only a backfill covers its own interval alone; it never moves the watermark.

    Args:
        occasion: Why the run happens.
        key: What the watermark is kept under; without one everything is read.
        now: The source server's clock.
    """
    watermark = occasion.watermarks.get(key)
    if watermark and watermark > now:
        watermark = now  # the source's clock went back, or somebody set the mark by hand
    end = min(occasion.end or now, now) if occasion.run_type != "manual" else now
    if occasion.run_type == "backfill":
        return Window(occasion.start, end, watermark, moves=False)
    if watermark is None:
        return Window(None, end, None, moves=True)
    start = watermark
    if occasion.run_type == "scheduled" and occasion.start:
        start = min(watermark, occasion.start)
    return Window(start, max(end, watermark), watermark, moves=True)


def watermark_key(route: Route, program: str, pair: str) -> str:
    """Return what a watermark is kept under.

    Another program, other roots, another server: another key, hence a baseline.

    Args:
        route: The route.
        program: One of its programs.
        pair: What stands for its two servers, see `servers.pair_of`.
    """
    meaning = [program, sorted(route.org_units), pair]
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:16]


def as_utc(stamp: str) -> datetime:
    """Return a text of ours, e.g. `2026-11-24T02:00:00+00:00`, as an instant in UTC."""
    return datetime.fromisoformat(stamp).astimezone(UTC)
