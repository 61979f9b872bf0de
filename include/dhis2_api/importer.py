"""Writing tracker data: one import request, and what its report says of each object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from dhis2_api.answers import Answer, error_code
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, UnexpectedAnswer


# Every option explicit: the documentation and the servers disagree on the defaults
# (tracker-api 3.1). Rules and side effects off: a copy must not change values, and
# must not send messages to patients (reliability F18).
_OPTIONS: Mapping[str, str] = {
    "async": "false",
    "importStrategy": "CREATE_AND_UPDATE",
    "atomicMode": "OBJECT",
    "reportMode": "FULL",
    "skipRuleEngine": "true",
    "skipSideEffects": "true",
}


class Ref(NamedTuple):
    """An object of the tracker: `("EVENT", "HWe1ZtgPRsl")`."""

    kind: str
    uid: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a server says became of the objects of one request.

    An object named in neither set was not imported, whatever the status says
    (reliability F9). The texts of the report are left behind: they quote patients.

    Attributes:
        stored: Objects the server stored.
        refused: Objects it refused, each with the codes it gave.
    """

    stored: frozenset[Ref]
    refused: Mapping[Ref, tuple[str, ...]]


class _Error(BaseModel):
    code: str = Field(alias="errorCode")
    kind: str = Field(alias="trackerType")
    uid: str


class _Stored(BaseModel):
    kind: str = Field(alias="trackerType")
    uid: str


class _Type(BaseModel):
    objects: list[_Stored] = Field(alias="objectReports")


class _Bundle(BaseModel):
    types: dict[str, _Type] = Field(default_factory=dict, alias="typeReportMap")


class _Validation(BaseModel):
    errors: list[_Error] = Field(alias="errorReports")


class _Report(BaseModel):
    status: str
    validation: _Validation = Field(alias="validationReport")
    bundle: _Bundle = Field(default_factory=_Bundle, alias="bundleReport")


def import_objects(client: Dhis2Client, payload: Mapping[str, Any]) -> ImportReport:
    """Send one payload of lists (`trackedEntities`, `enrollments`, `events`).

    Each list holds objects with their UIDs, since a server gives an object without
    one a new UID, and a repeated request would make a second object.

    Raises:
        RequestRefused: The server refused the request as a whole.
        TransientError: The outcome is unknown.
        UnexpectedAnswer: The answer is no import report.
    """
    answer = client.post("/api/tracker", payload, _OPTIONS, also={409})
    return _parse(answer)


def _parse(answer: Answer) -> ImportReport:
    body = answer.json()
    if not isinstance(body, dict) or "validationReport" not in body:
        raise _no_report(answer)
    try:
        report = _Report.model_validate(body)
    except ValidationError:
        raise UnexpectedAnswer(f"{answer.what}: the import report is of an unknown shape") from None
    refused: dict[Ref, tuple[str, ...]] = defaultdict(tuple)
    for error in report.validation.errors:
        refused[Ref(error.kind, error.uid)] += (error.code,)
    stored = {Ref(o.kind, o.uid) for kind in report.bundle.types.values() for o in kind.objects}
    return ImportReport(frozenset(stored) - refused.keys(), dict(refused))


def _no_report(answer: Answer) -> RequestRefused | UnexpectedAnswer:
    if answer.status == 409:
        code = error_code(answer)
        what = f"{answer.what} answered 409 without an import report"
        return RequestRefused(what, status=409, code=code)
    return UnexpectedAnswer(f"{answer.what} answered {answer.status} without an import report")
