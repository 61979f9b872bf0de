"""The whole night: besides the edits, an edit or a deletion of every other kind there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.exchange import Request
from tracker_sync_demo.edits import Edits, edit, new_uid, rows_of, send


_HIV, _MATERNAL, _VACCINATION = "xsd8pFBm2w1", "m8nERzkN6j4", "pjYwBlP46Rf"
_PHONE, _MOTHER_CHILD = "UuGeFXDfuFj", "KZlsDYjkS59"
_LABORATORY, _REPORT = "KGOrZAOCozP", "g61vVO04sV8"
_CASCADE = {"async": "false", "atomicMode": "ALL", "importStrategy": "DELETE"}
_EVENT = "event,enrollment,program,programStage,orgUnit,status,occurredAt,scheduledAt,completedAt"
_ENROLLMENT = (
    "enrollment,trackedEntity,program,orgUnit,status,enrolledAt,occurredAt,completedAt,"
    "followUp,geometry"
)
_CHILD = (
    "trackedEntity,trackedEntityType,orgUnit,geometry,relationships[relationship],"
    f"enrollments[{_ENROLLMENT},events[{_EVENT}]]"
)

Json = dict[str, Any]


def edit_everything(source: Dhis2Client) -> Edits:
    """Do all that `edit` does; clear, move, transfer, relate, note, attach and delete besides."""
    first, mothers, children = edit(source), _Mothers.of(source), _children(source)
    changed = {mothers.lose_a_phone(), mothers.lose_follow_up(), _lose_a_place(source)}
    moved, owner = _move(source, next(children))
    report, shown = _attach(source)
    created = {_note(source, next(children)), report, mothers.relate(next(children))}
    deleted = {
        *_delete_an_event(source, next(children)),
        *_delete_an_enrollment(source, next(children)),
        *_delete_a_person(source, next(children)),
        _unrelate(source),
    }
    return Edits(
        first.changed | changed | {moved, owner, shown},
        first.created | created,
        first.refused,
        frozenset(deleted),
    )


@dataclass(frozen=True, slots=True)
class _Mothers:
    """The enrollments of the maternal program, each used once."""

    source: Dhis2Client
    active: Iterator[Json]

    @classmethod
    def of(cls, source: Dhis2Client) -> _Mothers:
        rows = rows_of(source, "enrollments", _MATERNAL, _ENROLLMENT)
        active = iter([row for row in rows if row["status"] == "ACTIVE"])
        return cls(source, active)

    def lose_a_phone(self) -> str:
        """Clear an attribute."""
        cleared = [{"attribute": _PHONE, "value": None}]
        return self._send({**next(self.active), "attributes": cleared})

    def lose_follow_up(self) -> str:
        """Take the mark of follow-up away."""
        followed = next(row for row in self.active if row["followUp"])
        return self._send({**followed, "followUp": False})

    def relate(self, child: Json) -> str:
        """Join a mother and a child."""
        uid, mother = new_uid(), next(self.active)["trackedEntity"]
        ends = {"from": _end(mother), "to": _end(child["trackedEntity"])}
        link = {"relationship": uid, "relationshipType": _MOTHER_CHILD, **ends}
        send(self.source, {"relationships": [link]})
        return uid

    def _send(self, row: Json) -> str:
        send(self.source, {"enrollments": [row]})
        uid: str = row["enrollment"]
        return uid


def _lose_a_place(source: Dhis2Client) -> str:
    """Clear the geometry of a child."""
    rows = rows_of(source, "trackedEntities", _VACCINATION, _CHILD)
    child = next(row for row in rows if row.get("geometry") and row.get("relationships"))
    named = ("trackedEntity", "trackedEntityType", "orgUnit")
    send(source, {"trackedEntities": [{name: child[name] for name in named}]})
    uid: str = child["trackedEntity"]
    return uid


def _end(person: str) -> Json:
    return {"trackedEntity": {"trackedEntity": person}}


def _children(source: Dhis2Client) -> Iterator[Json]:
    """Yield children who are joined to nobody, each once."""
    rows = rows_of(source, "trackedEntities", _VACCINATION, _CHILD)
    return iter([row for row in rows if not row.get("relationships")])


def _move(source: Dhis2Client, child: Json) -> tuple[str, str]:
    """Register a child elsewhere, and make that place the owner."""
    uid, places = child["trackedEntity"], rows_of(source, "enrollments", _HIV, _ENROLLMENT)
    place = next(row["orgUnit"] for row in places if row["orgUnit"] != child["orgUnit"])
    kept = {
        key: child[key]
        for key in ("trackedEntity", "trackedEntityType", "geometry")
        if child.get(key)
    }
    send(source, {"trackedEntities": [{**kept, "orgUnit": place}]})
    params = {"trackedEntity": uid, "program": _VACCINATION, "orgUnit": place}
    source.request("PUT", "/api/tracker/ownership/transfer", params=params)
    return uid, f"{uid}:{_VACCINATION}"


def _note(source: Dhis2Client, child: Json) -> str:
    """Note something on an enrollment."""
    note = {"note": new_uid(), "value": "Carnet perdu"}
    course = {key: value for key, value in _course(child).items() if key != "events"}
    send(source, {"enrollments": [{**course, "notes": [note]}]})
    return note["note"]


def _course(child: Json) -> Json:
    course: Json = child["enrollments"][0]
    return {**course, "trackedEntity": child["trackedEntity"]}


def _attach(source: Dhis2Client) -> tuple[str, str]:
    """Attach a report to a test of the laboratory; return the file and the event."""
    tests = rows_of(source, "events", _HIV, _EVENT)
    test = next(row for row in tests if row["programStage"] == _LABORATORY)
    uid = new_uid()
    source.send(_upload(uid, b"Charge virale indetectable"))
    value = {"dataElement": _REPORT, "value": uid}
    send(source, {"events": [{**test, "dataValues": [value]}]})
    return uid, test["event"]


def _upload(uid: str, content: bytes) -> Request:
    """Return the request that keeps a file under a UID of ours."""
    edge = new_uid()
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="report.txt"\r\n'
    body = f"{head}Content-Type: text/plain\r\n\r\n".encode() + content + f"\r\n--{edge}--".encode()
    kind = f"multipart/form-data; boundary={edge}"
    return Request("POST", "/api/fileResources", {"uid": uid}, body, kind)


def _delete_an_event(source: Dhis2Client, child: Json) -> list[str]:
    return _delete(source, events=[_events(_course(child))[0]])


def _delete_an_enrollment(source: Dhis2Client, child: Json) -> list[str]:
    course = _course(child)
    _delete(source, enrollments=[course["enrollment"]])
    return [course["enrollment"], *_events(course)]


def _delete_a_person(source: Dhis2Client, child: Json) -> list[str]:
    _delete(source, trackedEntities=[child["trackedEntity"]])
    below = [[course["enrollment"], *_events(course)] for course in child["enrollments"]]
    return [child["trackedEntity"], *chain.from_iterable(below)]


def _events(course: Json) -> list[str]:
    return [event["event"] for event in course["events"]]


def _unrelate(source: Dhis2Client) -> str:
    """Part a mother and a child."""
    rows = rows_of(source, "trackedEntities", _VACCINATION, _CHILD)
    link = next(row["relationships"][0] for row in rows if row.get("relationships"))
    (uid,) = _delete(source, relationships=[link["relationship"]])
    return uid


_KEYS = {
    "trackedEntities": "trackedEntity",
    "enrollments": "enrollment",
    "events": "event",
    "relationships": "relationship",
}


def _delete(source: Dhis2Client, **lists: list[str]) -> list[str]:
    payload = {name: [{_KEYS[name]: uid} for uid in uids] for name, uids in lists.items()}
    source.post("/api/tracker", payload, _CASCADE)
    return [uid for uids in lists.values() for uid in uids]
