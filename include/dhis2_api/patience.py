"""The patience: how often, and after how long, a request is sent again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TypeVar

from dhis2_api.errors import TransientError


Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on asking, in seconds.

    Attributes:
        budget: How long after the first try another one may begin; 0 for one try only.
        first: The longest pause before the second try; it doubles from then on.
        longest: What it doubles up to.
    """

    budget: float = 120.0
    first: float = 0.5
    longest: float = 30.0


def patiently(
    send: Callable[[], Result], patience: Patience, *, may_repeat: Callable[[TransientError], bool]
) -> Result:
    """Return what *send* returns, trying again as long as patience lasts.

    The pause is drawn between nothing and twice the one before (full jitter), so that
    the tasks a server's hiccup threw back do not all return at once; never shorter
    than what the server asked for.

    Raises:
        TransientError: The last try's, once it may not be repeated or the budget is spent.
    """
    end = time.monotonic() + patience.budget
    for tries in count():
        try:
            return send()
        except TransientError as error:
            pause = _pause(patience, tries) + (error.retry_after or 0.0)
            if not may_repeat(error) or time.monotonic() + pause > end:
                raise
            _log.warning("trying again in %.1f s: %s", pause, error)
            time.sleep(pause)
    raise AssertionError  # pragma: no cover - count() does not end


def seconds_to_wait(retry_after: str) -> float | None:
    """Read a `Retry-After` header: seconds, or a date; nothing if it is neither."""
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _pause(patience: Patience, tries: int) -> float:
    ceiling = min(patience.longest, patience.first * 2.0 ** min(tries, 30))
    return random.uniform(0.0, ceiling)  # noqa: S311 - a pause is no secret
