"""How is metadata changed over HTTP?"""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Response

from dhis2_sandbox.access.rights import METADATA_WRITE
from dhis2_sandbox.http.answers import Refused, web_message
from dhis2_sandbox.http.metadata_objects import known_object
from dhis2_sandbox.http.visits import Asking, Visit
from dhis2_sandbox.metadata.changing import Change
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.importer import options_from
from dhis2_sandbox.metadata.members import user_reference
from dhis2_sandbox.metadata.store import Members


router = APIRouter(prefix="/api")
_OPERATIONS = frozenset({"add", "replace", "remove"})


@router.post("/metadata")
def import_metadata(asking: Asking) -> Response:
    """Take a payload in (recordings: 011 to 021)."""
    importer = asking.sandbox.metadata_importer()
    body, options = _json_body(asking), options_from(asking.query)
    status, members = importer.take(body, asking.rights, options)
    return web_message(status, **members)


@router.patch("/{plural}/{uid}")
def patch_metadata(plural: str, uid: str, asking: Asking) -> Response:
    """Change members of one object by JSON patch (recordings: 031, 376 to 394)."""
    item = dict(known_object(plural, uid, asking, METADATA_WRITE))
    if plural == "programs" and asking.sandbox.dialect.programs_in_use_fixed:
        problem = _problem_of_use(asking, item)
        if problem is not None:
            return problem
    item |= dict(_steps(asking))
    item = {member: value for member, value in item.items() if value is not None}
    author = asking.sandbox.metadata.get("users", asking.rights.uid) or {"id": asking.rights.uid}
    item |= {
        "lastUpdated": asking.sandbox.clock.stamp(),
        "lastUpdatedBy": user_reference(author),
    }
    store = asking.sandbox.store
    with store.changing() as connection:
        change = Change(store, connection, asking.sandbox.dialect)
        change.put(plural, item)
        change.complete()
    return _object_report(asking, plural, uid)


@router.delete("/{plural}/{uid}")
def delete_metadata(plural: str, uid: str, asking: Asking) -> Response:
    """Delete one object that nothing is built on (metadata 2.7: E4030)."""
    known_object(plural, uid, asking, METADATA_WRITE)
    importer = asking.sandbox.metadata_importer()
    problems = importer.problems_of_deletion(plural, uid, asking.rights)
    if problems:
        status = 403 if problems[0].code == "E3002" else 409
        raise Refused(status, problems[0].message, problems[0].code)
    store = asking.sandbox.store
    with store.changing() as connection:
        change = Change(store, connection, asking.sandbox.dialect)
        change.remove(plural, uid)
        change.complete()
    return _object_report(asking, plural, uid)


def _steps(asking: Visit) -> Iterator[tuple[str, Any]]:
    """Yield which member is to have which value, None to be removed.

    Raises:
        Refused: 400 for what is no JSON patch of top-level members.
    """
    steps = _json_body(asking)
    for step in steps if isinstance(steps, list) else [steps]:
        operation = step.get("op") if isinstance(step, dict) else None
        member = str(step.get("path")).strip("/") if operation else ""
        if operation not in _OPERATIONS or not member or "/" in member:
            raise Refused(400, "Invalid JSON patch: the sandbox changes whole members only")
        yield member, None if operation == "remove" else step.get("value")


def _problem_of_use(asking: Visit, program: Members) -> Response | None:
    """Return the refusal of a change to a program that people are enrolled in."""
    with asking.sandbox.database.reading() as connection:
        rows = connection.execute(
            "SELECT 1 FROM enrollment WHERE program = ? LIMIT 2", (program["id"],)
        ).fetchall()
    if len(rows) < 2:
        return None
    klass = CLASSES["programs"].klass
    message = f"Program `{program['name']}` has more than one Enrollment"
    error = {"message": message, "mainKlass": klass, "errorCode": "E6000"}
    report = {"responseType": "ObjectReport", "uid": program["id"], "klass": klass}
    message = "One or more errors occurred, please see full details in import report."
    return web_message(409, message, response=report | {"errorReports": [error]})


def _object_report(asking: Visit, plural: str, uid: str) -> Response:
    report = {"uid": uid, "klass": CLASSES[plural].klass, "errorReports": []}
    kind = f"ObjectReport{asking.sandbox.dialect.report_suffix}"
    return web_message(200, response=report | {"responseType": kind})


def _json_body(asking: Visit) -> Any:
    try:
        return json.loads(asking.body)
    except ValueError as error:
        raise Refused(400, f"JSON parse error: {error}") from error
