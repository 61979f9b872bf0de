"""The server: what it says of itself, its clock and the account that asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dhis2_api.client import Dhis2Client, Json
from dhis2_api.errors import UnexpectedAnswer


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it described itself.

    Attributes:
        version: The full version, e.g. `2.42.4`.
        system_id: Its identity, where the account may see it.
        zone: The zone of its stamps, which carry none themselves (measured: Zones).
        now: Its clock at the time of asking, in UTC.
    """

    version: str
    system_id: str | None
    zone: ZoneInfo
    now: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """The account that asks.

    Attributes:
        uid: Its UID.
        authorities: Its authorities; `ALL` makes a superuser.
        capture: The org units it may write data in, with all below them.
        search: The org units it may search in, with all below them.
        groups: The user groups it is in.
    """

    uid: str
    authorities: frozenset[str]
    capture: frozenset[str]
    search: frozenset[str]
    groups: frozenset[str] = frozenset()

    @property
    def is_superuser(self) -> bool:
        """Whether the account may do everything."""
        return "ALL" in self.authorities


_Model = TypeVar("_Model", bound=BaseModel)


class _Info(BaseModel):
    version: str
    server_date: datetime = Field(alias="serverDate")
    zone: str = Field(alias="serverTimeZoneId")
    system_id: str | None = Field(default=None, alias="systemId")


class _Ref(BaseModel):
    id: str


class _Me(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    id: str
    authorities: list[str]
    capture: list[_Ref] = Field(alias="organisationUnits")
    search: list[_Ref] = Field(alias="teiSearchOrganisationUnits")
    groups: list[_Ref] = Field(default=[], alias="userGroups")


def read_server(client: Dhis2Client) -> Server:
    """Ask a server what it is.

    Raises:
        UnexpectedAnswer: The answer is not that of a DHIS2 server.
    """
    info = _parsed(_Info, client.get("/api/system/info"), f"{client.name}: GET /api/system/info")
    try:
        zone = ZoneInfo(info.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is an OSError
        raise UnexpectedAnswer(
            f"{client.name}: the server's time zone is not one this machine knows"
        ) from None
    try:
        now = info.server_date.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise UnexpectedAnswer(f"{client.name}: the server's clock is beyond all years") from None
    return Server(info.version, info.system_id, zone, now)


def read_account(client: Dhis2Client) -> Account:
    """Ask a server who we are to it."""
    fields = "id,authorities,organisationUnits[id],teiSearchOrganisationUnits[id],userGroups[id]"
    me = _parsed(_Me, client.get("/api/me", {"fields": fields}), f"{client.name}: GET /api/me")
    return Account(
        me.id,
        frozenset(me.authorities),
        frozenset(ref.id for ref in me.capture),
        frozenset(ref.id for ref in me.search),
        frozenset(ref.id for ref in me.groups),
    )


def _parsed(model: type[_Model], answer: Json, what: str) -> _Model:
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        keys = sorted({".".join(str(part) for part in line["loc"]) for line in error.errors()})
        raise UnexpectedAnswer(
            f"{what}: not what DHIS2 answers; wrong: {', '.join(keys)}"
        ) from None
