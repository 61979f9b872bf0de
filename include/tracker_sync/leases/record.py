"""The lease record: who has held a lease since when, and does it still count?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from dhis2_api.errors import PermanentError
from dhis2_api.system import Server
from tracker_sync.leases.holder import Holder


@dataclass(frozen=True, slots=True)
class Moment:
    """A server's now; two instants in an hour that a clock change repeats.

    Attributes:
        earliest: If its clock shows the first pass of that hour.
        latest: If it shows the second.
    """

    earliest: datetime
    latest: datetime

    @classmethod
    def of(cls, server: Server) -> Self:
        """Return the now of a server."""
        second_pass = server.now.astimezone(server.zone).replace(fold=1)
        return cls(server.now, second_pass.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What is kept of one generation of a lease; times are the destination's.

    Attributes:
        run: The run that took it, for people.
        token: What that run alone knows.
        taken_at: When it was taken.
        renewed_at: The last sign of life.
        expires_at: When others may take it over.
        released: Whether it was given back.
        taken_from: The run that it was taken from, if that one had not given it back.
    """

    run: str
    token: str
    taken_at: AwareDatetime
    renewed_at: AwareDatetime
    expires_at: AwareDatetime
    released: bool = False
    taken_from: str | None = None

    @classmethod
    def taken(cls, holder: Holder, now: Moment, term: timedelta, before: Self | None) -> Self:
        """Return the record of a lease that is taken now, after the one *before*."""
        silent = before and not before.released and not before.belongs_to(holder)
        return cls(
            run=holder.run_id,
            token=holder.token,
            taken_at=now.earliest,
            renewed_at=now.earliest,
            expires_at=now.latest + term,
            taken_from=before.run if before and silent else None,
        )

    @classmethod
    def of(cls, content: object, where: str) -> Self:
        """Return the record that was kept as *content*.

        Raises:
            PermanentError: It is not one; *where* says which key to look at.
        """
        try:
            return TypeAdapter(cls).validate_python(content)
        except ValidationError:
            raise PermanentError(
                f"{where} holds no lease: if no run is writing to this server, delete the key"
            ) from None

    def as_json(self) -> Any:
        """Return what is kept."""
        return TypeAdapter(LeaseRecord).dump_python(self, mode="json")

    def belongs_to(self, holder: Holder) -> bool:
        """Whether it is that run's, given back or not."""
        return self.token == holder.token

    def counts(self, now: Moment) -> bool:
        """Whether its run may still be writing."""
        return not self.released and now.earliest < self.expires_at

    def age(self, now: Moment) -> timedelta:
        """Return how long its run may have shown no sign of life."""
        return now.latest - self.renewed_at

    def renewed(self, now: Moment, term: timedelta) -> LeaseRecord:
        """Return it with a fresh sign of life."""
        return replace(self, renewed_at=now.earliest, expires_at=now.latest + term)

    def given_back(self) -> LeaseRecord:
        """Return it for others to take."""
        return replace(self, released=True)

    def __str__(self) -> str:
        seen, until = (
            at.isoformat(timespec="seconds") for at in (self.renewed_at, self.expires_at)
        )
        return f"run {self.run} (last sign of life {seen}, counts until {until})"
