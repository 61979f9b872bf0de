"""The selection: which rows of a list are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal


Operator = Literal["EQ", "NE", "LIKE", "GT", "GE", "LT", "LE", "IN"]
EnrollmentStatus = Literal["ACTIVE", "COMPLETED", "CANCELLED"]
EventStatus = Literal["ACTIVE", "COMPLETED", "VISITED", "SCHEDULE", "OVERDUE", "SKIPPED"]


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on an attribute of the tracked entity.

    Attributes:
        attribute: Its UID.
        operator: How it is compared.
        values: With what; several only for `IN`.
    """

    attribute: str
    operator: Operator
    values: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Filter({self.attribute}, {self.operator})"  # a value may be a patient's


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are wanted; what is not set selects nothing away.

    Attributes:
        filters: Conditions on attributes, all of which hold.
        enrollment_status: The enrollment's status.
        follow_up: The enrollment's follow-up flag.
        program_stage: The event's stage.
        event_status: The event's status.
        occurred: First and last day on which the event occurred.
    """

    filters: tuple[Filter, ...] = ()
    enrollment_status: EnrollmentStatus | None = None
    follow_up: bool | None = None
    program_stage: str = ""
    event_status: EventStatus | None = None
    occurred: tuple[date, date] | None = None


EVERYTHING = Selection()
