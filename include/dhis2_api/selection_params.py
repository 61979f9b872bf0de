"""The parameters of a selection: how a server's dialect spells which rows are wanted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from dhis2_api.dialects import Dialect
from dhis2_api.errors import PermanentError
from dhis2_api.selection import Filter, Selection


def selection_params(selection: Selection, kind: str, dialect: Dialect) -> dict[str, str]:
    """Return the parameters of a selection for one of the tracker's lists.

    Raises:
        PermanentError: A server would ignore a part of it, or refuse it.
    """
    names = _names(dialect)[kind]
    wanted = parts_of(selection)
    if selection.filters:
        wanted["filters"] = filter_text(selection.filters, dialect)
    unknown = sorted(wanted.keys() - names.keys())
    if unknown:
        raise PermanentError(f"a list of {kind} cannot be selected by {', '.join(unknown)}")
    if kind == "trackedEntities":
        _check_events(selection)
    return {names[part]: text for part, text in wanted.items()}


def _names(dialect: Dialect) -> Mapping[str, Mapping[str, str]]:
    """Return what each list calls the parts of a selection (tracker-api 1.1)."""
    return {
        "trackedEntities": {
            "filters": "filter",
            "enrollment_status": dialect.enrollment_status,
            "follow_up": "followUp",
            "program_stage": "programStage",
            "event_status": "eventStatus",
            "occurred_after": "eventOccurredAfter",
            "occurred_before": "eventOccurredBefore",
        },
        "enrollments": {"enrollment_status": dialect.own_status, "follow_up": "followUp"},
        "events": {
            "filters": "filterAttributes",
            "enrollment_status": dialect.enrollment_status,
            "follow_up": "followUp",
            "program_stage": "programStage",
            "event_status": "status",
            "occurred_after": "occurredAfter",
            "occurred_before": "occurredBefore",
        },
    }


def parts_of(selection: Selection) -> dict[str, str]:
    """Return the parts of a selection that are set, but for its filters, as text."""
    after, before = selection.occurred or (None, None)
    follow_up = selection.follow_up
    parts = {
        "enrollment_status": selection.enrollment_status,
        "follow_up": None if follow_up is None else str(follow_up).lower(),
        "program_stage": selection.program_stage,
        "event_status": selection.event_status,
        "occurred_after": after and after.isoformat(),
        "occurred_before": before and before.isoformat(),
    }
    return {part: text for part, text in parts.items() if text}


def _check_events(selection: Selection) -> None:
    if bool(selection.event_status) != bool(selection.occurred):
        raise PermanentError(
            "people are selected by an event's status and the days it occurred on together, "
            "or by neither"
        )


def filter_text(filters: tuple[Filter, ...], dialect: Dialect) -> str:
    """Return the filters as one parameter (tracker-api 9).

    All on one attribute stand together, since an attribute named twice is refused.

    Raises:
        PermanentError: More on one attribute than the server takes, or a value no
            server can be asked for.
    """
    conditions: dict[str, list[str]] = defaultdict(list)
    for item in filters:
        conditions[item.attribute].append(f"{item.operator}:{_value(item)}")
    if any(len(found) > dialect.operators for found in conditions.values()):
        raise PermanentError(
            f"DHIS2 {dialect.version} takes {dialect.operators} filters on one attribute, not more"
        )
    return ",".join(":".join([attribute, *found]) for attribute, found in conditions.items())


def check_values(item: Filter) -> None:
    """Refuse a filter whose values no server can be asked for as they are meant.

    Raises:
        PermanentError: The message names the attribute, and never a value.
    """
    if item.operator == "IN" and any(";" in value for value in item.values):
        raise PermanentError(f"a value of the filter on {item.attribute} holds a semicolon")
    if not item.values or (len(item.values) > 1 and item.operator != "IN"):
        raise PermanentError(f"the filter on {item.attribute} needs one value, or IN several")


def _value(item: Filter) -> str:
    check_values(item)
    return re.sub(r"([/:,])", r"/\1", ";".join(item.values))
