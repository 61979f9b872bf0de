"""How is what is sent to the addresses before /api/tracker taken in, and reported?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dhis2_sandbox.http.answers import Unreadable
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.metadata.store import Members


#: By legacy name: the member that holds the UID, the list of the modern payload, and the kind.
_KINDS: Mapping[str, tuple[str, str, Kind]] = {
    "trackedEntityInstances": ("trackedEntityInstance", "trackedEntities", Kind.ENTITY),
    "enrollments": ("enrollment", "enrollments", Kind.ENROLLMENT),
    "events": ("event", "events", Kind.EVENT),
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "trackedEntityInstances": {},
    "enrollments": {"enrollmentDate": "enrolledAt", "incidentDate": "occurredAt"},
    "events": {"eventDate": "occurredAt", "dueDate": "scheduledAt"},
}
_COMMON = {
    "trackedEntityInstance": "trackedEntity",
    "completedDate": "completedAt",
    "followup": "followUp",
}
_COUNTS = {"created": "imported", "updated": "updated", "deleted": "deleted", "ignored": "ignored"}


def modern_body(name: str, body: bytes) -> bytes:
    """Return the payload that means the same to /api/tracker; one bare object is a payload too.

    Raises:
        Unreadable: for what is no JSON object.
    """
    try:
        sent = json.loads(body)
    except ValueError as error:
        raise Unreadable(400, f"JSON parse error: {error}") from error
    if not isinstance(sent, dict):
        raise Unreadable(400, "JSON parse error: an object was expected")
    items = sent.get(name, [sent])
    modern = {_KINDS[name][1]: [_modern(name, item) for item in items]}
    return json.dumps(modern, ensure_ascii=False).encode()


def legacy_summaries(name: str, report: Members, base_url: str) -> Members:
    """Return the ImportSummaries that an import report comes to."""
    kind = _KINDS[name][2]
    stored = report["bundleReport"]["typeReportMap"][kind]
    summaries = [_stored_summary(name, item["uid"], base_url) for item in stored["objectReports"]]
    summaries += _refused_summaries(kind, report)
    return _summaries(stored["stats"], summaries)


def _summaries(stats: Members, summaries: list[Members]) -> Members:
    failed = any(summary["status"] == "ERROR" for summary in summaries)
    counts = {legacy: stats[name] for name, legacy in _COUNTS.items()}
    return {
        "responseType": "ImportSummaries",
        "status": "ERROR" if failed else "SUCCESS",
        **counts,
        "importOptions": {"importStrategy": "CREATE_AND_UPDATE", "reportMode": "FULL"},
        "importSummaries": summaries,
        "total": len(summaries),
    }


def _stored_summary(name: str, uid: str, base_url: str) -> Members:
    href = f"{base_url}/api/{name}/{uid}"
    return _summary("SUCCESS", uid, imported=1) | {"href": href}


def _refused_summaries(kind: Kind, report: Members) -> Iterator[Members]:
    conflicts: dict[str, list[Members]] = {}
    for error in report["validationReport"]["errorReports"]:
        if error["trackerType"] == kind:
            conflict = {"object": error["errorCode"], "value": error["message"]}
            conflicts.setdefault(error["uid"], []).append(conflict)
    for uid, found in conflicts.items():
        yield _summary("ERROR", uid, ignored=1) | {"conflicts": found}


def _summary(status: str, uid: str, **counts: int) -> Members:
    count: dict[str, Any] = dict.fromkeys(("imported", "updated", "ignored", "deleted"), 0)
    return {
        "responseType": "ImportSummary",
        "status": status,
        "importCount": count | counts,
        "conflicts": [],
        "rejectedIndexes": [],
        "reference": uid,
    }


def _modern(name: str, item: Members) -> Members:
    names = {**_COMMON, **_NAMES[name]}
    return {
        names.get(member, member): [_modern(member, child) for child in value]
        if member in _NAMES
        else value
        for member, value in item.items()
    }
