"""Are an event's dates there, and does its period still take data?"""

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, finding
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.EVENT
_HAPPENED = frozenset({"ACTIVE", "VISITED", "COMPLETED"})
_BYPASS = "F_EDIT_EXPIRED"


def _month_end(day: date, months: int) -> date:
    """Return the last day of the block of so many months that the day is in."""
    last = (day.month - 1) // months * months + months
    return date(day.year, last, monthrange(day.year, last)[1])


_PERIOD_ENDS: Mapping[str, Callable[[date], date]] = {
    "Daily": lambda day: day,
    "Weekly": lambda day: day + timedelta(days=6 - day.weekday()),
    "Monthly": lambda day: _month_end(day, 1),
    "BiMonthly": lambda day: _month_end(day, 2),
    "Quarterly": lambda day: _month_end(day, 3),
    "SixMonthly": lambda day: _month_end(day, 6),
    "Yearly": lambda day: _month_end(day, 12),
}


def check_dates(situation: Situation, item: Members) -> Iterator[Finding]:
    """Check presence, expiry, and a completedAt that the status does not allow."""
    uid, status = item["event"], item.get("status") or "ACTIVE"
    occurred, scheduled = item.get("occurredAt"), item.get("scheduledAt")
    if occurred is None and status in _HAPPENED:
        yield finding(_KIND, item, "E1031")
    if scheduled is None and status == "SCHEDULE":
        yield finding(_KIND, item, "E1050")
    if occurred is None and scheduled is None and status not in _HAPPENED | {"SCHEDULE"}:
        yield finding(_KIND, item, "E1046", uid)
    stray = item.get("completedAt") and status != "COMPLETED"
    if stray and situation.dialect.completed_at_kept:
        yield finding(_KIND, item, "E1051", uid, status)
    yield from _expiry(situation, item, occurred or scheduled)


def _expiry(situation: Situation, item: Members, when: str | None) -> Iterator[Finding]:
    program = situation.model.program(item["program"]) or {}
    today = situation.clock.now().date()
    may_edit_expired = situation.rights.has(_BYPASS)
    days, period = program.get("expiryDays") or 0, str(program.get("expiryPeriodType"))
    bypass = may_edit_expired and not situation.dialect.expired_period_for_all
    if when and days and period in _PERIOD_ENDS and not bypass:
        end = _PERIOD_ENDS[period](date.fromisoformat(when[:10]))
        if end + timedelta(days=days) < today:
            yield finding(_KIND, item, "E1047", item["event"])
    completed, limit = item.get("completedAt"), program.get("completeEventsExpiryDays") or 0
    if completed and limit and not may_edit_expired:
        last = date.fromisoformat(completed[:10]) + timedelta(days=limit)
        if last < today:
            yield finding(_KIND, item, "E1043", item["event"])
