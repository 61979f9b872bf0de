"""The legacy lists: what each of them calls things, as one table (tracker-api 8.1)."""

from __future__ import annotations

from dataclasses import dataclass

from dhis2_api.dialects import LastPage
from dhis2_api.fields import Listed


@dataclass(frozen=True, slots=True)
class LegacyList:
    """One legacy list.

    Attributes:
        name: Its path below `/api/`, and the key of its rows.
        uid: The key of a row's UID.
        org_units: Its org units.
        updated_after: Its lower bound.
        last_page: How its end is known.
        fields: What a listing needs, and what shows that it was heard.
        selection: What it calls the parts of a selection.
    """

    name: str
    uid: str
    org_units: str
    updated_after: str
    last_page: LastPage
    fields: str
    selection: dict[str, str]


_ENROLLMENT = {"enrollment_status": "programStatus", "follow_up": "followUp"}

LEGACY_LISTS: dict[Listed, LegacyList] = {
    "trackedEntities": LegacyList(
        "trackedEntityInstances",
        uid="trackedEntityInstance",
        org_units="ou",
        updated_after="lastUpdatedStartDate",
        last_page="counted",
        fields="trackedEntityInstance,orgUnit,lastUpdated,deleted",
        selection={
            **_ENROLLMENT,
            "program_stage": "programStage",
            "event_status": "eventStatus",
            "occurred_after": "eventStartDate",
            "occurred_before": "eventEndDate",
        },
    ),
    "enrollments": LegacyList(
        "enrollments",
        uid="enrollment",
        org_units="ou",
        updated_after="lastUpdated",
        last_page="flagged",
        fields="enrollment,trackedEntityInstance,lastUpdated,deleted,status,followup",
        selection=_ENROLLMENT,
    ),
    "events": LegacyList(
        "events",
        uid="event",
        org_units="orgUnit",
        updated_after="lastUpdatedStartDate",
        last_page="flagged",
        fields="event,trackedEntityInstance,lastUpdated,deleted,status,programStage,eventDate",
        selection={
            **_ENROLLMENT,
            "program_stage": "programStage",
            "event_status": "status",
            "occurred_after": "startDate",
            "occurred_before": "endDate",
        },
    ),
}
