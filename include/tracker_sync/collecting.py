"""The collecting: how a step that makes many small values is seldom stopped to look at them all."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


# So many new values between two looks. Hardly any of ours is part of a circle, which alone
# must be looked for; looking every 700, as Python does, was a fifth of a load.
_SELDOM = 100_000


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Let Python look for unused circles of values seldom, and not at what was there before."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
