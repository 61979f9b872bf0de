"""The evidence: what each row must show, had the server heard all that it was asked.

A server ignores a parameter that it does not know, and answers with other rows
(measured: Reading). What a row says of itself gives it away. What no row shows, and
what servers compare in ways of their own, is no evidence: `docs/client.md` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dhis2_api.fields import Listed
from dhis2_api.selection import Filter, Selection


Check = Callable[[Any], bool]
Evidence = Mapping[str, Check]

# A scheduled event may be overdue by now, and a visited one comes back active (measured: Flows).
_STEADY = {"COMPLETED", "SKIPPED"}

# What is asked for where the evidence lies deeper in a row.
_NESTED = {
    "attributes": "attributes[attribute,value]",
    "enrollments": "enrollments[status,followUp]",
}


def evidence_of(selection: Selection, kind: Listed) -> Evidence:
    """Return field -> whether its value may be in the list."""
    of = {"trackedEntities": _of_person, "enrollments": _of_enrollment, "events": _of_event}
    return of[kind](selection)


def evidence_fields(evidence: Evidence) -> list[str]:
    """Return what is asked for to see the evidence."""
    return [_NESTED.get(field, field) for field in evidence]


def _of_person(selection: Selection) -> Evidence:
    checks: dict[str, Check] = {}
    telling = [item for item in selection.filters if _tells(item)]
    if telling:
        checks["attributes"] = lambda rows: all(_may_hold(item, rows) for item in telling)
    enrolled = _of_enrollment(selection)
    if enrolled:
        checks["enrollments"] = lambda rows: _one_shows(rows, enrolled)
    return checks


def _one_shows(rows: Any, checks: Evidence) -> bool:
    """Whether one row passes all checks, or none is shown: rights hide some (measured: Flows)."""
    shown = _objects(rows)
    return not shown or any(
        all(may_be(row.get(field)) for field, may_be in checks.items()) for row in shown
    )


def _objects(rows: Any) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _of_enrollment(selection: Selection) -> Evidence:
    checks: dict[str, Check] = {}
    if selection.enrollment_status:
        checks["status"] = lambda value: value == selection.enrollment_status
    if selection.follow_up is not None:
        checks["followUp"] = lambda value: value is selection.follow_up
    return checks


def _of_event(selection: Selection) -> Evidence:
    checks: dict[str, Check] = {}
    if selection.program_stage:
        checks["programStage"] = lambda value: value == selection.program_stage
    if selection.event_status in _STEADY:
        checks["status"] = lambda value: value == selection.event_status
    if selection.occurred:
        first, last = (day.isoformat() for day in selection.occurred)
        checks["occurredAt"] = lambda value: first <= str(value)[:10] <= last
    return checks


def _tells(item: Filter) -> bool:
    # Numbers and dates are equal to a server in more ways than as texts.
    texts = not any(sign.isdigit() for value in item.values for sign in value)
    return item.operator == "LIKE" or (item.operator in {"EQ", "IN"} and texts)


def _may_hold(item: Filter, attributes: Any) -> bool:
    """Whether a person may meet a condition; an attribute that is not shown may be anything."""
    own = [row for row in _objects(attributes) if row.get("attribute") == item.attribute]
    shown = [str(row.get("value")).casefold() for row in own]
    wanted = [value.casefold() for value in item.values]  # case is ignored (tracker-api 9)
    if item.operator == "LIKE":
        return all(wanted[0] in value for value in shown)
    return all(value in wanted for value in shown)
