"""The import report: what a server says became of each object of a request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, repeat
from typing import Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, Field, ValidationError

from dhis2_api.answers import Answer, error_code
from dhis2_api.errors import RequestRefused, UnexpectedAnswer


class Ref(NamedTuple):
    """An object of the tracker: `("EVENT", "HWe1ZtgPRsl")`."""

    kind: str
    uid: str


_REF: Callable[[tuple[str, str]], Ref] = partial(tuple.__new__, Ref)


def refs_of(kind: str, uids: Iterable[str]) -> Iterator[Ref]:
    """Yield the objects of one kind; a call of `Ref` for each would take twice as long."""
    return map(_REF, zip(repeat(kind), uids, strict=False))


#: Kind -> the key of its objects' UIDs, and the list that holds them in a request.
KEYS: Mapping[str, str] = {
    "TRACKED_ENTITY": "trackedEntity",
    "ENROLLMENT": "enrollment",
    "EVENT": "event",
    "RELATIONSHIP": "relationship",
}
LISTS: Mapping[str, str] = {
    "TRACKED_ENTITY": "trackedEntities",
    "ENROLLMENT": "enrollments",
    "EVENT": "events",
    "RELATIONSHIP": "relationships",
}

Codes = Mapping[Ref, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a server says became of the objects of one request.

    An object named in neither set was not imported, whatever the status says
    (reliability F9). The texts of the report quote patients (reliability F10): they are
    kept apart, and are for a file that few may read, never for a log.

    Attributes:
        stored: Objects the server stored, or deleted.
        refused: Objects it refused, each with the codes it gave.
        warnings: Objects it remarked on, stored or not, each with the codes it gave.
        texts: Of the refused, code and text of each refusal, as the server words it.
    """

    stored: frozenset[Ref]
    refused: Codes
    warnings: Codes = field(default_factory=dict)
    texts: Mapping[Ref, tuple[tuple[str, str], ...]] = field(
        default_factory=dict, repr=False, compare=False
    )


_Kind = Literal["TRACKED_ENTITY", "ENROLLMENT", "EVENT", "RELATIONSHIP"]


_KINDS = frozenset(get_args(_Kind))

# Codes leave this step for logs; a text, which may quote a patient, must not pass for one.
_CODE = r"^[A-Z][A-Z0-9_]{1,40}$"


class _Error(BaseModel):
    code: str = Field(alias="errorCode", pattern=_CODE)
    kind: _Kind = Field(alias="trackerType")
    uid: str
    message: Any = Field(default="", repr=False)


class _Warning(BaseModel):
    code: str = Field(alias="warningCode", pattern=_CODE)
    kind: _Kind = Field(alias="trackerType")
    uid: str


class _Stored(BaseModel):
    kind: _Kind = Field(alias="trackerType")
    uid: str
    errors: tuple[_Error, ...] = Field(default=(), alias="errorReports")


class _Type(BaseModel):
    objects: list[_Stored] = Field(alias="objectReports")


class _Bundle(BaseModel):
    types: dict[_Kind, _Type] = Field(default={}, alias="typeReportMap")


class _Validation(BaseModel):
    errors: list[_Error] = Field(alias="errorReports")
    warnings: list[_Warning] = Field(default=[], alias="warningReports")


class _Report(BaseModel):
    status: Literal["OK", "WARNING", "ERROR"]
    validation: _Validation = Field(alias="validationReport")
    bundle: _Bundle = Field(default=_Bundle(), alias="bundleReport")


def read_report(answer: Answer) -> ImportReport:
    """Return the report in an answer; all versions' are alike but for what is left out here.

    Raises:
        RequestRefused: A 409 that names no object: the request failed as a whole.
        UnexpectedAnswer: The answer is no import report, or contradicts itself.
    """
    body = answer.json()
    if not isinstance(body, dict) or "validationReport" not in body:
        raise _no_report(answer)
    stored = _all_stored(body)
    if stored is not None:
        return ImportReport(stored, {})
    report = _parsed(body, answer.what)
    if report.status == "ERROR" and not report.validation.errors:
        # 2.40 wraps what broke the whole request so (recordings: 372-scenario-nul-neighbours).
        raise _refused(answer, "with an import report that names no object")
    objects = [item for kind in report.bundle.types.values() for item in kind.objects]
    if report.status == "ERROR" and objects:
        raise UnexpectedAnswer(f"{answer.what}: the import report says both error and stored")
    inner = [error for item in objects for error in item.errors]
    errors = [*report.validation.errors, *inner]
    refused = _codes(errors)
    named = frozenset(Ref(item.kind, item.uid) for item in objects)
    warnings = _codes(report.validation.warnings)
    return ImportReport(named - refused.keys(), refused, warnings, _texts(errors))


def _all_stored(body: dict[str, Any]) -> frozenset[Ref] | None:
    """Return the objects of a report of which nothing but that they are stored is said.

    Nothing, if it says more, or if its shape is another: then it is read line by line. Most
    reports are of this kind, and a value a line takes as long as all else of a request.
    """
    try:
        if body["status"] != "OK" or any(body["validationReport"].values()):
            return None
        types = body["bundleReport"]["typeReportMap"]
        objects = [*chain.from_iterable(of["objectReports"] for of in types.values())]
        pairs = [(item["trackerType"], item["uid"]) for item in objects]
        said = any(item.get("errorReports") for item in objects)
        plain = not said and {type(uid) for _, uid in pairs} <= {str}
        known = _KINDS.issuperset(types) and _KINDS.issuperset({kind for kind, _ in pairs})
    except (LookupError, TypeError, AttributeError):
        return None
    lists = body["validationReport"].get("errorReports") == []
    return frozenset(map(_REF, pairs)) if plain and known and lists else None


def _parsed(body: dict[str, Any], what: str) -> _Report:
    try:
        return _Report.model_validate(body)
    except ValidationError:
        raise UnexpectedAnswer(f"{what}: the import report is of an unknown shape") from None


def _codes(lines: Iterable[_Error | _Warning]) -> dict[Ref, tuple[str, ...]]:
    codes: dict[Ref, tuple[str, ...]] = defaultdict(tuple)
    for line in lines:
        codes[Ref(line.kind, line.uid)] += (line.code,)
    return dict(codes)


def _texts(errors: Iterable[_Error]) -> dict[Ref, tuple[tuple[str, str], ...]]:
    texts: dict[Ref, tuple[tuple[str, str], ...]] = defaultdict(tuple)
    for error in errors:
        texts[Ref(error.kind, error.uid)] += ((error.code, str(error.message or "")),)
    return dict(texts)


def _no_report(answer: Answer) -> RequestRefused | UnexpectedAnswer:
    if answer.status == 409:
        return _refused(answer, "without an import report")
    return UnexpectedAnswer(f"{answer.what} answered {answer.status} without an import report")


def _refused(answer: Answer, how: str) -> RequestRefused:
    what = f"{answer.what} answered {answer.status} {how}"
    return RequestRefused(what, status=answer.status, code=error_code(answer))
