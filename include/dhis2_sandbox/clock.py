"""What time is it on this server, and which instant does a text name?

A DHIS2 server writes its stamps in its own zone, to the millisecond, and without saying which
zone that is (measured).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo


_DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR_OR_MONTH = {4: "-01-01", 7: "-01"}


def written(moment: datetime) -> str:
    """Return the moment as DHIS2 writes it: milliseconds, no zone."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one server: its zone, and how far it runs beside the real time."""

    zone_name: str = "UTC"
    shift: timedelta = timedelta(0)

    @property
    def zone(self) -> tzinfo:
        """The zone in which this server writes its stamps."""
        return ZoneInfo(self.zone_name)

    def now(self) -> datetime:
        """Return the server's local time, with its zone."""
        return (datetime.now(UTC) + self.shift).astimezone(self.zone)

    def stamp(self) -> str:
        """Return the present moment as the server writes it."""
        return written(self.now())

    def local(self, text: str | float) -> str:
        """Return the server-local text of a date or time that a client sent.

        A date stays the wall-clock date it is; an offset is honoured; epoch milliseconds are
        read as such (tracker-api 3.2).

        Raises:
            ValueError: if the text is no date.
        """
        if isinstance(text, int | float):
            return written(datetime.fromtimestamp(text / 1000, self.zone))
        moment = datetime.fromisoformat(text + _YEAR_OR_MONTH.get(len(text), ""))
        return written(moment if moment.tzinfo is None else moment.astimezone(self.zone))

    def end_of(self, text: str) -> str:
        """Return the last moment that an upper bound still covers: a date covers its day."""
        if _DATE_ONLY.fullmatch(text):
            return self.local(text + "T23:59:59.999")
        return self.local(text)
