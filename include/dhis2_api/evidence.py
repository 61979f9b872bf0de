"""The evidence: what each row must show, had the server heard all that it was asked.

A server ignores a parameter that it does not know, and answers with other rows
(measured: Reading). What a row says of itself gives it away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dhis2_api.fields import LISTING_FIELDS, Listed
from dhis2_api.selection import Selection


Evidence = Mapping[str, Callable[[Any], bool]]

# A scheduled event may be overdue by now, and a visited one comes back active (measured: Flows).
_STEADY = {"COMPLETED", "SKIPPED"}


def evidence_of(selection: Selection, kind: Listed) -> Evidence:
    """Return field -> whether its value may be in the list; a person's row shows nothing."""
    return {"enrollments": _of_enrollment, "events": _of_event}.get(kind, _of_person)(selection)


def fields_with(evidence: Evidence, kind: Listed) -> str:
    """Return the fields of a listing, and those that are evidence."""
    return ",".join([LISTING_FIELDS[kind], *evidence])


def _of_person(_: Selection) -> Evidence:
    return {}


def _of_enrollment(selection: Selection) -> Evidence:
    checks: dict[str, Callable[[Any], bool]] = {}
    if selection.enrollment_status:
        checks["status"] = lambda value: value == selection.enrollment_status
    if selection.follow_up is not None:
        checks["followUp"] = lambda value: value is selection.follow_up
    return checks


def _of_event(selection: Selection) -> Evidence:
    checks: dict[str, Callable[[Any], bool]] = {}
    if selection.program_stage:
        checks["programStage"] = lambda value: value == selection.program_stage
    if selection.event_status in _STEADY:
        checks["status"] = lambda value: value == selection.event_status
    if selection.occurred:
        first, last = (day.isoformat() for day in selection.occurred)
        checks["occurredAt"] = lambda value: first <= str(value)[:10] <= last
    return checks
