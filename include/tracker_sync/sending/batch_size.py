"""The batch size: how many people go into one batch, as the destination's pace tells."""

from __future__ import annotations

from threading import Lock


FIRST = 100
LEAST = 50
MOST = 200

# A request should take some seconds: with fewer the server's work between two requests counts,
# and with more a proxy in between may give up first (performance 4.2).
_SHORT, _LONG = 3.0, 8.0
_AIM = 5.0
_GROWTH = 1.5


class BatchSize:
    """So many people a batch: more while requests are short, fewer once they are long.

    All writers of a task share it. Nothing here is exact: a batch is cut when the next
    one is made, and requests that are under way then tell their time later.

    Args:
        most: It never grows beyond.
    """

    def __init__(self, most: int = MOST) -> None:
        self.people = min(FIRST, most)
        self._most = most
        self._lock = Lock()

    def took(self, people: int, seconds: float) -> None:
        """Hear how long a request with so many people took."""
        with self._lock:
            if seconds > _LONG:
                fitting = int(people * _AIM / seconds)
                self.people = min(self.people, max(LEAST, fitting))
            elif seconds < _SHORT and people >= self.people:
                growth = min(_GROWTH, _AIM / max(seconds, 0.001))
                self.people = min(self._most, int(people * growth))

    def was_too_much(self) -> None:
        """Hear that a request was too long for whoever stands in between; it stays smaller."""
        with self._lock:
            self.people = self._most = max(1, self.people // 2)
