"""The clocks: did the source's fall back since a run last saw both servers' together?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pydantic import AwareDatetime


TOLERATED = timedelta(minutes=5)  # by so much a clock that is kept right may be set back


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both servers' clocks at one moment, give or take the seconds of asking.

    Attributes:
        source: What the source's showed.
        destination: What the destination's showed.
    """

    source: AwareDatetime
    destination: AwareDatetime

    def fallen_until(self, now: Clocks) -> timedelta:
        """Return how far the source's clock has fallen behind the destination's since.

        A destination's clock that leapt forward looks the same, and only makes a run read more
        than it must. One that was set back in the same days hides as much of a fall.
        """
        behind = (now.destination - self.destination) - (now.source - self.source)
        return max(behind, timedelta(0))
