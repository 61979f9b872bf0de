"""People and lone events as DHIS2 gives them, small and valid; a test changes what it is about."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from dhis2_api.dialects import dialect_of
from dhis2_api.paging import envelope_of
from tracker_sync.bundling.projection import Projection
from tracker_sync.metadata.model import Model, OrgUnit
from tracker_sync.planning.objects import Tree, as_bundles, trees_of
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import EVENT_ROW, PERSON_ROW, Tables, flatten, flatten_events


Json = dict[str, Any]

PROGRAM, STAGE, TYPE = "programHIV1", "stageVisit1", "typePerson1"
SURVEILLANCE = "programSUR1"  # without registration
NAME, NATIONAL_ID, WEIGHT, NOTE = "attrName001", "attrNatId01", "elemWeight1", "elemNote001"
CLINIC = "clinicRufi1"
STAMP = "2026-11-24T12:06:46.263"

PEOPLE = envelope_of(dialect_of("2.42.4"), "trackedEntities")
EVENTS = envelope_of(dialect_of("2.42.4"), "events")

MODEL = Model(
    hash="m1",
    tracked_entity_types={PROGRAM: TYPE},
    event_programs={SURVEILLANCE: "Surveillance"},
    related=frozenset(),
    type_attributes={TYPE: frozenset({NAME})},
    program_attributes={PROGRAM: frozenset({NAME, NATIONAL_ID})},
    stage_elements={STAGE: frozenset({WEIGHT, NOTE})},
    confidential=frozenset(),
    org_units={CLINIC: OrgUnit("Rufisque", f"/country0001/region00001/{CLINIC}")},
)


def event(uid: str = "event000001", **changes: Any) -> Json:
    return {
        "event": uid,
        "programStage": STAGE,
        "orgUnit": CLINIC,
        "status": "ACTIVE",
        "occurredAt": "2026-03-29T00:00:00.000",
        "createdAt": STAMP,
        "updatedAt": STAMP,
        "deleted": False,
        "attributeOptionCombo": "HllvX50cXC0",
        "dataValues": [{"dataElement": WEIGHT, "value": "33.3", "providedElsewhere": False}],
        "notes": [],
        **changes,
    }


def lone_event(uid: str = "event000001", **changes: Any) -> Json:
    return event(uid, **{"program": SURVEILLANCE, **changes})


def enrollment(uid: str = "enroll00001", **changes: Any) -> Json:
    return {
        "enrollment": uid,
        "program": PROGRAM,
        "orgUnit": CLINIC,
        "status": "ACTIVE",
        "enrolledAt": "2026-03-25T00:00:00.000",
        "occurredAt": "2026-03-01T00:00:00.000",
        "followUp": False,
        "createdAt": STAMP,
        "updatedAt": STAMP,
        "deleted": False,
        "attributes": [
            {"attribute": NAME, "value": "Awa"},
            {"attribute": NATIONAL_ID, "value": "90210729"},
        ],
        "notes": [],
        "events": [event()],
        **changes,
    }


def person(uid: str = "person00001", **changes: Any) -> Json:
    return {
        "trackedEntity": uid,
        "trackedEntityType": TYPE,
        "orgUnit": CLINIC,
        "inactive": False,
        "potentialDuplicate": False,
        "createdAt": STAMP,
        "updatedAt": STAMP,
        "deleted": False,
        "attributes": [{"attribute": NAME, "value": "Awa"}],
        "programOwners": [{"program": PROGRAM, "orgUnit": CLINIC}],
        "enrollments": [enrollment()],
        **changes,
    }


def page(*people: Json, number: int = 1, goes_on: bool = False) -> bytes:
    pager: Json = {"page": number, "pageSize": 50}
    if goes_on:
        pager["nextPage"] = "http://dhis2.example/next"
    return json.dumps({"pager": pager, "trackedEntities": people}, ensure_ascii=False).encode()


def event_page(*events: Json) -> bytes:
    pager = {"page": 1, "pageSize": 50}
    return json.dumps({"pager": pager, "events": events}, ensure_ascii=False).encode()


def staged(*people: Json) -> Tables:
    """Return people as they are staged."""
    return flatten(parse_page(page(*people), PEOPLE, PERSON_ROW, what="test").rows, [PROGRAM])


def bundles(*people: Json) -> pa.Table:
    return as_bundles(staged(*people), Projection.of(MODEL))


def lone_bundles(*events: Json) -> pa.Table:
    rows = parse_page(event_page(*events), EVENTS, EVENT_ROW, what="test").rows
    return as_bundles(flatten_events(rows), Projection.of(MODEL))


def trees(*people: Json) -> list[Tree]:
    return [*trees_of(bundles(*people))]


def lone_trees(*events: Json) -> list[Tree]:
    return [*trees_of(lone_bundles(*events))]


def tree(**changes: Any) -> Tree:
    (only,) = trees(person(**changes))
    return only
