"""The sizes: how much each case of the bench is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much each case is given.

    Attributes:
        staged: People whose pages are in memory.
        read: People of the smaller and of the larger extract.
        delayed: People read from the slow mock.
        seconds: How long it takes for a page.
        loaded: People who are brought to a destination.
        listed: People whom each of the three lists names.
        objects: Objects of the state.
        times: How often ours is measured; the median counts. The plain script is
            measured once: nothing hangs on its last digit.
    """

    staged: int = 5_000
    read: tuple[int, int] = (5_000, 20_000)
    delayed: int = 10_000
    seconds: float = 0.35
    loaded: int = 5_000
    listed: int = 33_334
    objects: int = 1_000_000
    times: int = 3


TINY = Sizes(
    staged=200,
    read=(200, 400),
    delayed=800,
    seconds=0.05,
    loaded=400,
    listed=6_000,
    objects=6_000,
    times=1,
)
