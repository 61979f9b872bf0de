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
        import_seconds: How long an import of a hundred people takes.
        loaded: People who are brought to a destination.
        brought: People who are read from one server and brought to another.
        long: The same, fewer and more.
        listed: People whom each of the three lists names.
        objects: Objects of the state.
        times: How often ours is measured; the median counts. The plain script is
            measured once: nothing hangs on its last digit.
    """

    staged: int = 5_000
    read: tuple[int, int] = (5_000, 20_000)
    delayed: int = 10_000
    seconds: float = 0.35
    # Of four imports at once on the fastest server that DHIS2 publishes figures of: 2.4 times
    # the 138 people a second of 2.43.0 (performance 4.1).
    import_seconds: float = 1.2
    loaded: int = 10_000  # a hundred batches, so that the last round of writers weighs little
    brought: int = 20_000
    long: tuple[int, int] = (20_000, 100_000)
    listed: int = 33_334
    objects: int = 1_000_000
    times: int = 3


TINY = Sizes(
    staged=200,
    read=(200, 400),
    delayed=800,
    seconds=0.05,
    import_seconds=0.1,
    loaded=400,
    brought=1_000,
    long=(200, 400),
    listed=6_000,
    objects=6_000,
    times=1,
)
