"""The route: which programs go from which server to which, and on what terms."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self, TypeVar
from zoneinfo import available_timezones

from croniter import CroniterError, croniter
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from tracker_sync.mapping.terms import SAME_NAMES, MappingTerms
from tracker_sync.strict_terms import Strict, Uid


Connection = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")]

#: `public`, `groups`, or what everybody may do: metadata, then data, read and write.
SHARING = r"^(public|groups|[r-][w-][r-][w-]----)$"

_Item = TypeVar("_Item", bound=Hashable)


def _without_repeats(items: tuple[_Item, ...]) -> tuple[_Item, ...]:
    if len(set(items)) < len(items):
        raise ValueError("the same UID stands twice")
    return items


def _cron(text: str) -> str:
    if not re.fullmatch(r"[\d*/,A-Za-z#-]+( [\d*/,A-Za-z#-]+){4}", text) or not _comes_round(text):
        raise ValueError("no cron expression of five fields; try 0 2 * * *")
    return text


def _comes_round(cron: str) -> bool:
    """Whether there is a next time: 30 February is written well and never comes."""
    if re.search(r"\b[HRhr]\b", cron):  # hashed and random times are none to plan by
        return False
    try:
        croniter(cron, datetime(2026, 1, 1, tzinfo=UTC)).get_next()
    except (CroniterError, AssertionError, ValueError):
        return False
    return True


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no zone of that name; try Africa/Dakar")
    return name


Uids = Annotated[tuple[Uid, ...], Field(min_length=1), AfterValidator(_without_repeats)]


class AttributeCondition(Strict):
    """One condition on an attribute of the tracked entity; all of them must hold.

    Attributes:
        attribute: Its UID.
        operator: How it is compared.
        values: With what; several only for `IN`. They reach the logs of the source's
            web server, as every parameter does.
    """

    attribute: Uid
    operator: Literal["EQ", "NE", "LIKE", "GT", "GE", "LT", "LE", "IN"]
    values: Annotated[tuple[str, ...], Field(min_length=1, repr=False)]


class ProgramSelection(Strict):
    """Who of a program enters; what is not set selects nobody away.

    A selection decides who enters. Whoever was sent once is followed, selected or not.

    Attributes:
        enrollment_status: The enrollment's status.
        follow_up: The enrollment's follow-up flag.
        attributes: Conditions on attributes.
        program_stage: The stage that the event conditions speak of.
        event_status: The status of an event.
        occurred_from: First day on which the event occurred.
        occurred_to: Last day on which it occurred.
    """

    enrollment_status: Literal["ACTIVE", "COMPLETED", "CANCELLED"] | None = None
    follow_up: bool | None = None
    attributes: tuple[AttributeCondition, ...] = ()
    program_stage: Uid | None = None
    event_status: (
        Literal["ACTIVE", "COMPLETED", "VISITED", "SCHEDULE", "OVERDUE", "SKIPPED"] | None
    ) = None
    occurred_from: date | None = None
    occurred_to: date | None = None

    @model_validator(mode="after")
    def _days_are_a_span(self) -> Self:
        first, last = self.occurred_from, self.occurred_to
        if (first is None) != (last is None):
            raise ValueError("`occurred_from` and `occurred_to` come together")
        if first and last and first > last:
            raise ValueError("`occurred_from` is after `occurred_to`")
        return self


class Slices(Strict):
    """How the work of a run is divided.

    Attributes:
        level: The org-unit level whose branches become slices (1 is the root).
        most: How many slices a run may have; with more branches than this at
            `level`, the level above is taken.
    """

    level: int = Field(default=3, ge=1, le=20)
    most: int = Field(default=40, ge=1, le=100)


class Reading(Strict):
    """How the source is read.

    Attributes:
        page_size: Rows of a listing page.
        at_once: Tracked entities read by UID in one request; 300 UIDs make a URL
            that passes, 600 don't (measured: Reading).
        in_parallel: Requests by UID under way at once; more than eight can block a
            server of 2.42 (performance 4.3).
        overlap_minutes: How far before the watermark a run starts, because a stamp
            is taken before its record is committed (reliability F3).
        unenrolled: Whether people without any enrollment are copied too.
    """

    page_size: int = Field(default=5_000, ge=1, le=20_000)
    at_once: int = Field(default=200, ge=1, le=300)
    in_parallel: int = Field(default=4, ge=1, le=8)
    overlap_minutes: int = Field(default=60, ge=0, le=1_440)
    unenrolled: bool = False


class Batches(Strict):
    """How much goes into one import request.

    Attributes:
        tracked_entities: At most so many tracked entities with all below them; or ten times
            as many events without registration, which are as many objects. A run begins with
            100, and takes more or fewer as the destination answers sooner or later.
        megabytes: At most so many megabytes, below a proxy's usual limit of 10.
        in_parallel: Imports of one load under way at once. It takes as many slots of the
            destination's pool, which must have them. After a kill, what a request did that is
            under way still can't be seen yet, and the retry sends it again: one batch for
            each of them, so that one is the default.
    """

    tracked_entities: int = Field(default=200, ge=1, le=500)
    megabytes: float = Field(default=5.0, gt=0, le=50)
    in_parallel: int = Field(default=1, ge=1, le=8)


class Keeping(Strict):
    """How long things are kept.

    Attributes:
        staging_days: Staged packages and reports of runs older than this are removed.
        lease_minutes: After so long without a sign of life a run's hold on the
            destination may be taken over by another run.
    """

    staging_days: int = Field(default=30, ge=1, le=3_650)
    lease_minutes: int = Field(default=120, ge=15, le=1_440)


class Route(Strict):
    """One direction of travel between two servers.

    Attributes:
        name: The name of the route's file.
        source: The Airflow connection to read from.
        destination: The Airflow connection to write to.
        programs: UIDs of the programs to copy, with or without registration.
        org_units: UIDs of the roots; everything below them is copied.
        schedule: A cron expression of five fields, or nothing for runs by hand.
        timezone: The zone of `schedule`.
        metadata: `apply` writes what the data needs, `check` fails on what would refuse or
            drop data, `ignore` looks at nothing. These four: docs/metadata.md.
        metadata_extras: `keep` what only the destination has, or `mirror` the source.
        metadata_sharing: Of new objects: `public`, also of `groups`, or as this text says.
        metadata_org_units: Only `create` what is missing, or `update` the others too.
        grant_self: A superuser account may give itself the roots at the destination.
        selections: Program -> who of it enters; everybody of a program that is not named.
        baseline: `allow` lets a run that has neither interval nor watermark read
            everything; `refuse` makes it say so instead.
        refused: `fail` makes a run red that met a refusal it did not know; `warn` doesn't.
        mapping: What is called otherwise at the destination; docs/mapping.md.
        deletes: `send` deletes at the destination what is deleted at the source; `hold`
            remembers it until then.
        import: `sync` waits for each import; `async` lets the server's queue do it, for
            servers behind a proxy that gives up early. It is slower (performance 4.2).
        destination_edits: What becomes of an object that somebody changed at the destination
            since our last write: `overwrite` sends the source's all the same, `keep` holds it,
            `report` refuses it.
    """

    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")
    source: Connection
    destination: Connection
    programs: Uids
    org_units: Uids
    schedule: Annotated[str, AfterValidator(_cron)] | None = None
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    slices: Slices = Slices()
    reading: Reading = Reading()
    selections: Mapping[Uid, ProgramSelection] = Field(default_factory=dict)
    batches: Batches = Batches()
    keeping: Keeping = Keeping()
    baseline: Literal["allow", "refuse"] = "refuse"
    metadata: Literal["apply", "check", "ignore"] = "check"
    metadata_extras: Literal["keep", "mirror"] = "keep"
    metadata_sharing: Annotated[str, Field(pattern=SHARING)] = "public"
    metadata_org_units: Literal["create", "update"] = "create"
    grant_self: bool = False
    refused: Literal["fail", "warn"] = "fail"
    mapping: MappingTerms = Field(default=SAME_NAMES, repr=False)  # may be thousands of rows
    deletes: Literal["hold", "send"] = "hold"
    import_: Literal["sync", "async"] = Field(default="sync", alias="import")
    destination_edits: Literal["overwrite", "keep", "report"] = "overwrite"

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.source == self.destination:
            raise ValueError("`source` and `destination` are the same connection")
        return self

    @model_validator(mode="after")
    def _selects_of_its_programs(self) -> Self:
        if not self.selections.keys() <= set(self.programs):
            raise ValueError("`selections` names a program that `programs` does not")
        return self


def only_looking(route: Route) -> Route:
    """Return a route that writes no metadata: what it would apply is a difference to name."""
    return route.model_copy(update={"metadata": "check"}) if route.metadata == "apply" else route
