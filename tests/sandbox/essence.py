"""What of an answer must be the same on the sandbox as on the real server?

Everything but stamps, messages, generated UIDs, and the order of what DHIS2 keeps in sets.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.exchanges import Answer, Exchange
from sandbox.open_orders import is_unordered, without_order


#: Where 2.40 keeps the rows of every tracker listing.
ROWS_BEFORE_41 = "instances"
KINDS_OF_ROWS = ("trackedEntities", "enrollments", "events", "relationships")
_STAMP = re.compile(r"^2026-11-24T12:\d\d:\d\d\.\d{3}")
_HOST = re.compile(r"^https?://[^/]+")
#: Lists whose order DHIS2 leaves open.
_UNORDERED = frozenset(
    {"attributes", "dataValues", "events", "enrollments", "notes", "relationships"}
    | {"programOwners", "authorities", "organisationUnits"}
)
#: Lists whose members get a UID from the server when they are sent without.
_GENERATED = frozenset({"trackedEntityTypeAttributes"})
_ENDS = frozenset({"from", "to"})
#: What is the server's own: its build, its identity, and how Java names a zone.
_OWN = frozenset({"system", "serverTimeZoneDisplayName", "href"})


def essence(exchange: Exchange, answer: Answer) -> Any:
    """Return what is compared of an answer to this exchange's request."""
    body, path = answer.body, exchange.request["path"]
    if not isinstance(body, dict):
        return answer.status, _shape(body)
    for member, reading in _ENVELOPES.items():
        if member in body:
            return answer.status, reading(body)
    rows = path.rsplit("/", 1)[-1]
    rows = rows if rows in body else ROWS_BEFORE_41
    if rows in body and is_unordered(exchange):
        return (
            answer.status,
            sorted(body),
            pager(body),
            without_order([masked(row) for row in body[rows]], exchange),
        )
    if "/tracker/" in path and rows in body:
        return answer.status, sorted(body), pager(body), [masked(row) for row in body[rows]]
    if "pager" in body or "/metadata" in path or "organisationUnits" in body:
        return answer.status, {key: _by_id(value) for key, value in masked(body).items()}
    return answer.status, masked(body)


def _shape(body: Any) -> Any:
    """Return the type of a body and, of a list (a job's notices), the keys that all rows have."""
    if not isinstance(body, list):
        return type(body).__name__
    rows = [{(key, type(value).__name__) for key, value in row.items()} for row in body]
    return sorted(set.intersection(*rows)) if rows else []


def pager(body: dict[str, Any]) -> dict[str, Any]:
    """Return the pager without the server's address."""
    return {key: _HOST.sub("", str(value)) for key, value in body.get("pager", {}).items()}


def masked(value: Any, name: str = "") -> Any:
    """Return a value without stamps and addresses, its sets in one order.

    Who wrote the notes at the end of a relationship is left out: whether 2.41 says it depends on
    what it has loaded already.
    """
    if name in _ENDS:
        value = _without_note_authors(value)
    if isinstance(value, list):
        items = [masked(item, name if name in _GENERATED else "") for item in value]
        return sorted(items, key=str) if name in _UNORDERED else items
    if isinstance(value, dict):
        members = {key: masked(value[key], key) for key in sorted(value) if key not in _OWN}
        if name in _GENERATED:
            members["id"] = "generated"
        if "event" in members and "program" in members and "trackedEntity" not in members:
            members["enrollment"] = "kept by the server for all of the program's events"
        return members
    if isinstance(value, str):
        return "stamp" if _STAMP.match(value) else _HOST.sub("", value)
    return value


def _without_note_authors(value: Any, name: str = "") -> Any:
    if isinstance(value, list):
        return [_without_note_authors(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    gone = {"createdBy"} if name == "notes" else set()
    return {key: _without_note_authors(item, key) for key, item in value.items() if key not in gone}


def _import_report(body: dict[str, Any]) -> dict[str, Any]:
    validation = body["validationReport"]
    reports = (body.get("bundleReport") or {}).get("typeReportMap", {})
    return {
        "keys": sorted(body),
        "status": body["status"],
        "stats": body.get("stats"),
        "errors": _findings(validation["errorReports"], "errorCode"),
        "warnings": _findings(validation["warningReports"], "warningCode"),
        "stored": {
            kind: (report["stats"], sorted(item["uid"] for item in report["objectReports"]))
            for kind, report in reports.items()
        },
    }


def _findings(reports: list[dict[str, Any]], code: str) -> list[tuple[str, ...]]:
    return sorted((item["trackerType"], item["uid"], item[code]) for item in reports)


def _web_message(body: dict[str, Any]) -> dict[str, Any]:
    kept = {key: body.get(key) for key in ("httpStatus", "httpStatusCode", "status", "errorCode")}
    response = body.get("response") or {}
    types = [_type_report(report) for report in response.get("typeReports", [])]
    shown = {"status": response.get("status"), "stats": response.get("stats")}
    return (
        kept | {"keys": sorted(body), "response": sorted(response), "types": sorted(types)} | shown
    )


def _type_report(report: dict[str, Any]) -> tuple[Any, ...]:
    objects = [
        (item["uid"], sorted(error["errorCode"] for error in item["errorReports"]))
        for item in report["objectReports"]
    ]
    return report["klass"], sorted(report["stats"].items()), sorted(objects)


def _by_id(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _page(body: dict[str, Any]) -> str:
    return str(body["text"]).lstrip().lower()[:14]


#: What tells an envelope, and how it is read.
_ENVELOPES: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "validationReport": _import_report,
    "httpStatusCode": _web_message,
    "text": _page,
}
