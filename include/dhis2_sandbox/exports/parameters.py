"""How are the parameters of a tracker listing read?"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from dhis2_sandbox.clock import Clock, written
from dhis2_sandbox.dialect import Dialect, ListParameter
from dhis2_sandbox.http.answers import Refused


_DURATION = re.compile(r"(\d+)([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The query of one request; what is not known is ignored, as DHIS2 does (recordings: 130)."""

    pairs: Sequence[tuple[str, str]]
    clock: Clock
    dialect: Dialect

    def text(self, name: str) -> str | None:
        """Return a parameter, or None if it is absent or empty."""
        found = [value for key, value in self.pairs if key == name and value]
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        """Return every value of a parameter that may be repeated."""
        return [value for key, value in self.pairs if key == name and value]

    def listed(self, name: str, separator: str = ",") -> list[str]:
        """Return the members of a parameter that is a list."""
        return [part for value in self.all(name) for part in value.split(separator) if part]

    def listed_by(self, names: Iterable[ListParameter]) -> list[str]:
        """Return the members of a list that the version knows under several names."""
        return [part for name, separator in names for part in self.listed(name, separator)]

    def flag(self, name: str) -> bool:
        """Tell whether a parameter is true."""
        return (self.text(name) or "").lower() == "true"

    def time(self, name: str, *, upper: bool = False) -> str | None:
        """Return a bound as server-local text; a date as an upper bound covers its day.

        Raises:
            Refused: 400 for what is no time (recordings: 150).
        """
        value = self.text(name)
        if value is None:
            return None
        try:
            return self.clock.end_of(value) if upper else self.clock.local(value)
        except ValueError as error:
            message = f"Value '{value}' is not valid for parameter {name}. "
            raise Refused(400, message + f'Invalid format: "{value}"') from error

    def since(self, name: str) -> str | None:
        """Return the bound that a duration such as 1d or 60s means.

        It is a UTC text, though rows carry local stamps: DHIS2's own error (tracker-api 2.1).

        Raises:
            Refused: 400 for another text, ISO durations among them (recordings: 153).
        """
        value = self.text(name)
        if value is None:
            return None
        match = _DURATION.fullmatch(value)
        if match is None:
            status, code = self.dialect.illegal_query
            raise Refused(status, f"`{name}` is not valid: {value}", code)
        length = timedelta(**{_UNITS[match[2]]: int(match[1])})
        return written(self.clock.now().astimezone(UTC) - length)
