"""What answers below /api/trackedEntityInstances, /api/enrollments and /api/events?

The addresses that clients used before /api/tracker, and that versions before 2.42 still have: the
same engine under older names (tracker-api 8).
"""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from dhis2_sandbox.exports.fields import parse_fields
from dhis2_sandbox.exports.legacy_parameters import modern_pairs
from dhis2_sandbox.exports.legacy_views import LEGACY_ROWS, legacy_view
from dhis2_sandbox.exports.paging import page_members, paging_from
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.http.answers import Refused, RefusedByTomcat, json_answer, web_message
from dhis2_sandbox.http.export_routes import page_of
from dhis2_sandbox.http.file_routes import file_of_event, file_of_person
from dhis2_sandbox.http.visits import Asking, Visit
from dhis2_sandbox.imports.legacy_import import legacy_summaries, modern_body
from dhis2_sandbox.imports.options import TrackerOptions, options_from
from dhis2_sandbox.versions import LEGACY_ENGINE


router = APIRouter(prefix="/api")
_FAILED = "An error occurred, please check import summary."
_DONE = "Import was successful."


@router.get("/trackedEntityInstances")
def list_people(asking: Asking) -> Response:
    """List people; without totalPages there is no pager (recordings: 185, 186)."""
    return _listing(asking, "trackedEntityInstances")


@router.get("/enrollments")
def list_enrollments(asking: Asking) -> Response:
    """List enrollments, without their lists (recordings: 189)."""
    return _listing(asking, "enrollments")


@router.get("/events")
def list_events(asking: Asking) -> Response:
    """List events (recordings: 190)."""
    return _listing(asking, "events")


@router.get("/events/files")
def download(asking: Asking) -> Response:
    """Answer the file that a data value names (recordings: 206)."""
    _check_version(asking)
    query = asking.query
    return file_of_event(asking, query.get("eventUid", ""), query.get("dataElementUid", ""))


@router.get("/trackedEntityInstances/{person}/{attribute}/{form}")
def download_of_person(person: str, attribute: str, form: str, asking: Asking) -> Response:
    """Answer the file that an attribute names, by the word of its value type (tracker-api 6)."""
    _check_version(asking)
    value_type = (asking.sandbox.model.attribute(attribute) or {}).get("valueType")
    if form != ("image" if value_type == "IMAGE" else "file"):
        raise Refused(409, f"Attribute must be of type {form}")
    return file_of_person(asking, person, attribute)


@router.post("/trackedEntityInstances")
def import_people(asking: Asking) -> Response:
    """Take people in (recordings: 191, 192)."""
    return _import(asking, "trackedEntityInstances")


@router.post("/enrollments")
def import_enrollments(asking: Asking) -> Response:
    """Take enrollments in."""
    return _import(asking, "enrollments")


@router.post("/events")
def import_events(asking: Asking) -> Response:
    """Take events in (recordings: 193)."""
    return _import(asking, "events")


def _listing(asking: Visit, name: str) -> Response:
    _check_version(asking)
    sandbox = asking.sandbox
    pairs = modern_pairs(name, asking.parameters.pairs, LEGACY_ENGINE)
    parameters = Parameters(pairs, sandbox.clock, LEGACY_ENGINE)
    paging = paging_from(parameters, limited=name == "trackedEntityInstances")
    endpoint = LEGACY_ROWS[name]
    views, more, total = page_of(asking, endpoint, parameters, paging)
    selection = parse_fields(asking.query.get("fields") or "*")
    legacy = (legacy_view(name, view, sandbox.model, asking.base_url) for view in views)
    rows = [selection.apply(view) for view in legacy]
    page: dict[str, Any] = dict(page_members(paging, total))
    if total is None:
        page["isLastPage"] = not more
    shown = total is not None or name != "trackedEntityInstances"
    return json_answer(({"pager": page} if shown and paging.size else {}) | {name: rows})


def _import(asking: Visit, name: str) -> Response:
    _check_version(asking)
    sandbox = asking.sandbox
    strategy = asking.query.get("strategy") or "CREATE_AND_UPDATE"
    base = options_from({"importStrategy": strategy, "atomicMode": "OBJECT"})
    options = TrackerOptions(strategy=base.strategy, atomic=False, with_warnings=True)
    body = modern_body(name, asking.body)
    _, report = sandbox.tracker_importer().take(body, sandbox.model, asking.rights, options)
    response: Mapping[str, Any] = legacy_summaries(name, report, asking.base_url)
    failed = response["status"] == "ERROR"
    return web_message(409 if failed else 200, _FAILED if failed else _DONE, response=response)


def _check_version(asking: Visit) -> None:
    if not asking.sandbox.dialect.legacy_endpoints:
        path = asking.request.url.path.strip("/")
        raise RefusedByTomcat(404, f"No static resource {path}.")
