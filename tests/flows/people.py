"""People as somebody registers them in the district, whole and small; a test changes one thing."""

from __future__ import annotations

from typing import Any

from servers import HIV, MATERNAL, PERSON, SURVEILLANCE, VACCINATION


Json = dict[str, Any]

# In three branches of the country, so that a run has slices.
RUFISQUE, MBOUR, PODOR = "RPIeQRab7JG", "LF87lmoDPcJ", "tmVCbUPW5q2"
FIRST_NAME, LAST_NAME, NATIONAL_ID = "igrbHRNTbIn", "XlaUz6AYQa9", "kd7nkrMgEfm"
PHONE, PHOTO, SEX, BORN = "UuGeFXDfuFj", "EOcItquZkCq", "zzlC4ArMYGX", "e6bl9NqfY2M"
CONTACT = "contactType"  # a relationship that joins any two people
FOLLOW_UP, LABORATORY, ANTENATAL = "NQAzEAcicmY", "KGOrZAOCozP", "ZhHGC9a67CE"
WEIGHT, REGIMEN, LOAD, REPORT = "ol1WpmrN6NG", "XNCk5QhEBgw", "X5G8PbiUAwt", "g61vVO04sV8"
CASE, RESULT, AGE = "cPInfvgfsFJ", "nEHoqPyvxSS", "K1Kk4mmfqIm"
AWA, BINTA, COUMBA = "AwaPerson01", "BintaPers02", "CoumbaPer03"
POINT = {"type": "Point", "coordinates": [-17.27, 14.71]}


def enrollment_of(person: str, letter: str = "N") -> str:
    """Return the UID that a person's enrollment has here."""
    return f"{letter}{person[1:]}"


def event_of(person: str, number: int = 1) -> str:
    """Return the UID that one of a person's events has here."""
    return f"{'EFGH'[number - 1]}{person[1:]}"


def person(uid: str = AWA, place: str = RUFISQUE, **changes: Any) -> Json:
    """Return a person in the HIV program with one visit, and all that may be said of them."""
    return {
        "trackedEntity": uid,
        "trackedEntityType": PERSON,
        "orgUnit": place,
        "geometry": POINT,
        "attributes": [
            {"attribute": FIRST_NAME, "value": "Awa"},
            {"attribute": LAST_NAME, "value": "Ndiaye"},
        ],
        "enrollments": [enrollment(uid, place)],
        **changes,
    }


def enrollment(person: str = AWA, place: str = RUFISQUE, **changes: Any) -> Json:
    """Return a person's enrollment in the HIV program."""
    return {
        "enrollment": enrollment_of(person),
        "trackedEntity": person,
        "program": HIV,
        "orgUnit": place,
        "status": "ACTIVE",
        "enrolledAt": "2026-03-25T00:00:00.000",
        "occurredAt": "2026-03-01T00:00:00.000",
        "followUp": True,
        "geometry": POINT,
        "attributes": [
            {"attribute": NATIONAL_ID, "value": f"ID-{person}"},
            {"attribute": PHONE, "value": "+221770000000"},
        ],
        "events": [visit(person, place)],
        **changes,
    }


def visit(person: str = AWA, place: str = RUFISQUE, number: int = 1, **changes: Any) -> Json:
    """Return a visit of a person in the HIV program."""
    return {
        "event": event_of(person, number),
        "enrollment": enrollment_of(person),
        "program": HIV,
        "programStage": FOLLOW_UP,
        "orgUnit": place,
        "status": "ACTIVE",
        "occurredAt": "2026-04-02T00:00:00.000",
        "geometry": POINT,
        "dataValues": [
            {"dataElement": WEIGHT, "value": "61.5"},
            {"dataElement": REGIMEN, "value": "TDF_3TC_DTG"},
        ],
        **changes,
    }


def pregnancy(person: str = AWA, place: str = MBOUR, **changes: Any) -> Json:
    """Return a person's enrollment in the maternal program, with a consultation."""
    uid = enrollment_of(person, "M")
    consultation = {
        "event": f"K{person[1:]}",
        "enrollment": uid,
        "program": MATERNAL,
        "programStage": ANTENATAL,
        "orgUnit": place,
        "status": "ACTIVE",
        "occurredAt": "2026-05-02T00:00:00.000",
        "dataValues": [{"dataElement": WEIGHT, "value": "64"}],
    }
    return {
        "enrollment": uid,
        "trackedEntity": person,
        "program": MATERNAL,
        "orgUnit": place,
        "status": "ACTIVE",
        "enrolledAt": "2026-05-01T00:00:00.000",
        "occurredAt": "2026-05-01T00:00:00.000",
        "attributes": [
            {"attribute": FIRST_NAME, "value": "Awa"},
            {"attribute": LAST_NAME, "value": "Ndiaye"},
            {"attribute": NATIONAL_ID, "value": f"ID-{person}"},
        ],
        "events": [consultation],
        **changes,
    }


def vaccination(
    person: str = AWA, place: str = MBOUR, photo: str | None = None, **changes: Any
) -> Json:
    """Return a person's enrollment in the vaccination program."""
    told = {FIRST_NAME: "Awa", LAST_NAME: "Ndiaye", SEX: "F", BORN: "2025-02-03", PHOTO: photo}
    return {
        "enrollment": enrollment_of(person, "V"),
        "trackedEntity": person,
        "program": VACCINATION,
        "orgUnit": place,
        "status": "ACTIVE",
        "enrolledAt": "2026-05-01T00:00:00.000",
        "occurredAt": "2026-05-01T00:00:00.000",
        "attributes": [{"attribute": uid, "value": told[uid]} for uid in told if told[uid]],
        **changes,
    }


def case(uid: str = "CaseEvent01", place: str = PODOR, **changes: Any) -> Json:
    """Return a notified case: an event without registration."""
    return {
        "event": uid,
        "program": SURVEILLANCE,
        "programStage": CASE,
        "orgUnit": place,
        "status": "ACTIVE",
        "occurredAt": "2026-04-02T00:00:00.000",
        "dataValues": [
            {"dataElement": RESULT, "value": "POS"},
            {"dataElement": AGE, "value": "31"},
        ],
        **changes,
    }


def contact(uid: str, one: str, other: str, kind: str = CONTACT) -> Json:
    """Return a relationship between two people."""
    ends = {
        "from": {"trackedEntity": {"trackedEntity": one}},
        "to": {"trackedEntity": {"trackedEntity": other}},
    }
    return {"relationship": uid, "relationshipType": kind, **ends}
