"""The asked span: from when to when did the person who started a run want it to read?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from dhis2_api.errors import PermanentError


_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_FIRST_YEAR = 1900  # no clock of a server went before it, and no arithmetic fails after it
_WRITTEN = "write a date (2026-11-24) or a time with its offset (2026-11-24T18:00:00+00:00)"


@dataclass(frozen=True, slots=True)
class AskedSpan:
    """A span of time; an end that nobody gave is left to the run.

    Attributes:
        start: From when changes are read.
        end: Until when.
    """

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any], zone: ZoneInfo) -> Self:
        """Return the span that the parameters `from` and `to` of a run name.

        Args:
            params: The run's parameters, each a text or nothing.
            zone: Where a date without a time begins.

        Raises:
            PermanentError: One cannot be read, or they are the wrong way round.
        """
        start, end = (_instant(name, params.get(name), zone) for name in ("from", "to"))
        if start and end and start >= end:
            raise PermanentError("`from` is not before `to`: exchange them")
        return cls(start, end)

    def require_past(self, now: datetime) -> None:
        """Return if nothing was asked for that has not happened yet.

        Raises:
            PermanentError: Something was.
        """
        for name, instant in (("from", self.start), ("to", self.end)):
            if instant and instant > now:
                raise PermanentError(
                    f"`{name}` is after the source's now, {now.isoformat(timespec='seconds')}: "
                    "leave `to` empty to read up to now"
                )


def _instant(name: str, text: object, zone: ZoneInfo) -> datetime | None:
    if text in (None, ""):
        return None
    try:
        instant = datetime.fromisoformat(str(text))
        if _DATE.fullmatch(str(text)):
            instant = instant.replace(tzinfo=zone)
    except ValueError:
        raise PermanentError(f"`{name}` is neither a date nor a time: {_WRITTEN}") from None
    if instant.tzinfo is None:
        raise PermanentError(f"`{name}` is a time without an offset: {_WRITTEN}")
    if instant.year < _FIRST_YEAR:
        raise PermanentError(f"`{name}` is before {_FIRST_YEAR}: {_WRITTEN}")
    return instant.astimezone(UTC)
