"""Pages as JSON: how the bytes of a page become objects, each with its UID."""

from __future__ import annotations

import json
from typing import Any

from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.paging import Envelope, Page


Row = dict[str, Any]


def parse_rows(body: bytes, envelope: Envelope, uid_key: str, what: str) -> Page[list[Row]]:
    """Parse one page of a list.

    Raises:
        UnexpectedAnswer: The answer is cut, has another shape, or lacks its rows.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise UnexpectedAnswer(f"{what}: the answer is cut, or no JSON") from None
    rows = answer.get(envelope.rows) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(_has_uid(row, uid_key) for row in rows):
        raise UnexpectedAnswer(f"{what}: the answer has no `{envelope.rows}` with `{uid_key}`")
    pager = answer.get(envelope.pager) if envelope.pager else answer
    number = pager.get("page") if isinstance(pager, dict) else None
    if type(number) is not int:
        raise UnexpectedAnswer(f"{what}: the answer has no page number")
    pages = pager.get("pageCount")
    goes_on = _goes_on(pager, envelope, what)
    return Page(number, rows, goes_on, pages if type(pages) is int else None)


def _goes_on(pager: Row, envelope: Envelope, what: str) -> bool:
    if envelope.last_page != "flagged":
        return bool(pager.get("nextPage"))
    if type(pager.get("isLastPage")) is not bool:
        raise UnexpectedAnswer(f"{what}: the answer does not say whether it is the last page")
    return not pager["isLastPage"]


def _has_uid(row: object, uid_key: str) -> bool:
    return isinstance(row, dict) and isinstance(row.get(uid_key), str)
