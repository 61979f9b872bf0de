"""The traffic: how many requests to one server are under way at once, and from when on.

All clients of a server that came from one (`Dhis2Client.another`) share it, so that a server
which asks one of them to slow down is left alone by all.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import BoundedSemaphore, Lock

from dhis2_api.errors import TransientError


# A server may ask for a day; who did not ask it waits no longer than so many seconds.
_LONGEST = 60.0


class Traffic:
    """The requests of all clients of one server.

    Args:
        most: How many that write may be under way at once; as many as come, if not said. One
            that reads may be besides, so that reading back what one import wrote does not
            keep the next one waiting.
    """

    def __init__(self, most: int | None = None) -> None:
        self._writing = _lanes(most)
        self._all = _lanes(most and most + 1)
        self._lock = Lock()
        self._free_from = 0.0

    @contextmanager
    def under_way(self, *, writes: bool) -> Iterator[None]:
        """Wait for one's turn, and hear whether the request in the block was asked to wait."""
        with self._writing if writes else nullcontext(), self._all:
            self._wait()
            try:
                yield
            except TransientError as error:
                self._hold(error.retry_after or 0.0)
                raise

    def _wait(self) -> None:
        while (pause := self._free_from - time.monotonic()) > 0:
            time.sleep(pause)

    def _hold(self, seconds: float) -> None:
        with self._lock:
            until = time.monotonic() + min(seconds, _LONGEST)
            self._free_from = max(self._free_from, until)


def _lanes(count: int | None) -> AbstractContextManager[object]:
    return BoundedSemaphore(count) if count else nullcontext()
