"""How does a fault change what is answered?"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from dhis2_sandbox.faults.rules import Fault


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


_HTML = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def answer_without_work(fault: Fault, method: str) -> Answer | None:
    """Return what is answered before the request reaches DHIS2, or None if it gets there."""
    if fault.kind == "expired_token":
        return _message(401, "Personal access token has expired")
    if fault.kind == "read_only" and method in _WRITING:
        return _message(409, "ERROR: cannot execute INSERT in a read-only transaction")
    if fault.kind == "status" and not fault.done:
        return _status(fault)
    if fault.kind == "html" and not fault.done:
        return _page(fault)
    return None


def changed(answer: Answer, fault: Fault) -> Answer:
    """Return what is answered after the work was done."""
    change = _CHANGES.get(fault.kind)
    return answer if change is None else change(answer, fault)


def _status(fault: Fault) -> Answer:
    answer = _message(fault.status, HTTPStatus(fault.status).phrase)
    if fault.retry_after is None:
        return answer
    header = (b"retry-after", str(fault.retry_after).encode())
    return replace(answer, headers=(*answer.headers, header))


def _page(fault: Fault) -> Answer:
    status = fault.status if "status" in fault.model_fields_set else 200
    body = _HTML.format(HTTPStatus(status).phrase).encode()
    return Answer(status, ((b"content-type", b"text/html;charset=utf-8"),), body)


def _message(status: int, message: str) -> Answer:
    body = {
        "httpStatus": HTTPStatus(status).phrase,
        "httpStatusCode": status,
        "status": "ERROR",
        "message": message,
    }
    return _json(status, body)


def _json(status: int, body: object) -> Answer:
    text = json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, ((b"content-type", b"application/json;charset=UTF-8"),), text)


def _without_an_object(answer: Answer, fault: Fault) -> Answer:
    """Leave one object out of an import report; the numbers stay as they were."""
    try:
        report = json.loads(answer.body)
        kinds = report["bundleReport"]["typeReportMap"].values()
    except (ValueError, TypeError, KeyError):
        return answer
    objects = [(kind["objectReports"], item) for kind in kinds for item in kind["objectReports"]]
    if fault.index < len(objects):
        holder, item = objects[fault.index]
        holder.remove(item)
    return _json(answer.status, report)


_CHANGES: Mapping[str, Callable[[Answer, Fault], Answer]] = {
    "status": lambda _, fault: _status(fault),
    "html": lambda _, fault: _page(fault),
    "wrong_shape": lambda answer, fault: _json(answer.status, fault.body),
    "left_out": _without_an_object,
}
