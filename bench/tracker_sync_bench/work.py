"""The work: what one process of the bench is told to do, and what it measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


# Where the mock tells how many pages of people it was ever asked for at once.
MOST_IN_FLIGHT = "/bench/most-in-flight"


@dataclass(frozen=True, slots=True)
class Work:
    """What a job works on.

    Attributes:
        folder: Where its material lies, and where its files go.
        url: The mock's address, where there is one.
        to: The address of the mock that is written to, where there are two.
        count: How many people, or objects.
    """

    folder: str
    url: str = ""
    to: str = ""
    count: int = 0


# A job prepares, which nobody measures, and returns what is measured: that
# returns how much it did, so that two ways of doing it can be held against each other.
Job = Callable[[Work], Callable[[], int]]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process spent on its work.

    Attributes:
        cpu: Seconds of user and system time.
        wall: Seconds.
        peak: The most memory the process ever held, in megabytes.
        done: How much it did.
    """

    cpu: float
    wall: float
    peak: float
    done: int
