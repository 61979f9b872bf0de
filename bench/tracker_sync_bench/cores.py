"""The cores: one measures, the others serve, so that neither waits for the other."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet


def keep_to(cores: AbstractSet[int]) -> None:
    """Keep this process to *cores*, where the system can."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def measuring() -> AbstractSet[int]:
    """Return the one core that measures."""
    return {max(_all(), default=0)}


def serving() -> AbstractSet[int]:
    """Return the cores that serve."""
    return _all() - measuring() or _all()


def _all() -> AbstractSet[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
