"""The edits: a night at the source, made through its API like anybody would."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.export import Listing
from dhis2_api.fields import Listed
from dhis2_api.reading import read_list


_HIV, _MATERNAL, _SURVEILLANCE = "xsd8pFBm2w1", "m8nERzkN6j4", "fAw4hObwxfo"
_WEIGHT, _REGIMEN, _REGIMENS = "ol1WpmrN6NG", "XNCk5QhEBgw", "rGXJBRiGJCF"
_SYMPTOMS = "Vdl0zGHqE4V"  # of a notified case, in surveillance
_SYNCHRONOUS = {"async": "false", "atomicMode": "ALL", "importStrategy": "CREATE_AND_UPDATE"}
_CASE = "event,program,programStage,orgUnit,status,occurredAt,completedAt,geometry"
_EVENT = f"{_CASE},enrollment,scheduledAt"
_ENROLLMENT = (
    "enrollment,trackedEntity,program,orgUnit,status,enrolledAt,occurredAt,followUp,geometry"
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Edits:
    """What was done at the source, as UIDs.

    Attributes:
        changed: Events whose value changed, or was cleared, one of them without registration,
            and the completed enrollment.
        created: The event added.
        refused: The event that the destination must refuse.
        deleted: What was deleted, with all that hung below it.
    """

    changed: frozenset[str]
    created: frozenset[str]
    refused: frozenset[str]
    deleted: frozenset[str] = frozenset()


def edit(source: Dhis2Client) -> Edits:
    """Change values, clear one, add an event, complete an enrollment, and use a retired code.

    One of the changed values belongs to a notified case: an event without registration.
    """
    weighed = _events_with(source, _WEIGHT)
    changed = _send_event(source, weighed[0], [{"dataElement": _WEIGHT, "value": "61.5"}])
    cleared = _send_event(source, weighed[1], [{"dataElement": _WEIGHT, "value": None}])
    follow_up = _events_with(source, _REGIMEN)
    added = _add_event(source, follow_up[0], [{"dataElement": _WEIGHT, "value": "58"}])
    case = _change_a_case(source)
    completed = _complete(source)
    refused = _use_a_retired_code(source, follow_up[1])
    moved = frozenset({changed, cleared, case, completed})
    return Edits(moved, frozenset({added}), frozenset({refused}))


def _events_with(source: Dhis2Client, element: str) -> list[Json]:
    """Return active events that hold *element*, in a stage that repeats, each of another person."""
    events = rows_of(
        source, "events", _HIV, f"{_EVENT},trackedEntity,dataValues[dataElement,value]"
    )
    stages = source.get(f"/api/programs/{_HIV}", {"fields": "programStages[id,repeatable]"})
    repeatable = {stage["id"] for stage in stages["programStages"] if stage["repeatable"]}
    found = {
        event["trackedEntity"]: event
        for event in events
        if event["status"] == "ACTIVE" and event["programStage"] in repeatable
        if any(value["dataElement"] == element for value in event["dataValues"])
    }
    return list(found.values())


def _change_a_case(source: Dhis2Client) -> str:
    case = rows_of(source, "events", _SURVEILLANCE, f"{_CASE},dataValues[dataElement,value]")[0]
    kept = [value for value in case["dataValues"] if value["dataElement"] != _SYMPTOMS]
    return _send_event(source, case, [*kept, {"dataElement": _SYMPTOMS, "value": "Toux"}])


def rows_of(source: Dhis2Client, kind: Listed, program: str, fields: str) -> list[Json]:
    """Return the events or enrollments of a program."""
    everywhere = Listing(
        kind, program, (), None, 2_000, mode="ACCESSIBLE", fields=fields, living=True
    )
    return [*read_list(source, everywhere, ZoneInfo("UTC"))]


def _send_event(source: Dhis2Client, event: Json, values: list[Json]) -> str:
    wanted = {key: event[key] for key in _EVENT.split(",") if key in event}
    send(source, {"events": [{**wanted, "dataValues": values}]})
    uid: str = event["event"]
    return uid


def _add_event(source: Dhis2Client, like: Json, values: list[Json]) -> str:
    return _send_event(source, {**like, "event": new_uid()}, values)


def _complete(source: Dhis2Client) -> str:
    rows = rows_of(source, "enrollments", _MATERNAL, _ENROLLMENT)
    enrollment = next(row for row in rows if row["status"] == "ACTIVE")
    send(source, {"enrollments": [{**enrollment, "status": "COMPLETED"}]})
    uid: str = enrollment["enrollment"]
    return uid


def _use_a_retired_code(source: Dhis2Client, like: Json) -> str:
    """Add an event with an option that is then taken out of its set, as happens in real life."""
    option = {"id": new_uid(), "code": "D4T_3TC_NVP", "name": "D4T/3TC/NVP", "sortOrder": 9}
    source.post("/api/metadata", {"options": [{**option, "optionSet": {"id": _REGIMENS}}]})
    uid = _add_event(source, like, [{"dataElement": _REGIMEN, "value": option["code"]}])
    source.request("DELETE", f"/api/options/{option['id']}")
    return uid


def send(source: Dhis2Client, payload: Json) -> None:
    """Import objects, all or none of them."""
    source.post("/api/tracker", payload, _SYNCHRONOUS)


def new_uid() -> str:
    """Return a UID that nobody has."""
    first, rest = string.ascii_letters, string.ascii_letters + string.digits
    return secrets.choice(first) + "".join(secrets.choice(rest) for _ in range(10))
