"""The answer: what a status and a body mean, before anybody reads rows from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from dhis2_api.errors import (
    Dhis2Error,
    RequestRefused,
    TransientError,
    Unauthorized,
    UnexpectedAnswer,
)
from dhis2_api.patience import seconds_to_wait


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; its `repr` leaves out the body, which may be a patient's.

    Attributes:
        what: The request, for messages: server, method and path, without parameters.
        status: The HTTP status.
        kind: The content type.
        body: The bytes.
        retry_after: The header of that name, as it came.
    """

    what: str
    status: int
    kind: str
    body: bytes = field(repr=False)
    retry_after: str = ""

    def text(self) -> bytes:
        """Return the body as the bytes of what says it is JSON.

        Raises:
            UnexpectedAnswer: It says it is something else.
        """
        if "json" in self.kind:
            return self.body
        raise UnexpectedAnswer(
            f"{self.what} answered {self.status} with {self.kind[:40] or 'no content type'} "
            "instead of JSON: is the address of the connection that of a DHIS2 server, with its "
            "path?"
        )

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            UnexpectedAnswer: It is something else, or cut.
        """
        try:
            return json.loads(self.text())
        except (ValueError, RecursionError):
            raise UnexpectedAnswer(
                f"{self.what} answered {self.status} with JSON that ends or breaks in the middle"
            ) from None


def refuse_unless_expected(answer: Answer, *, also: Collection[int] = ()) -> None:
    """Raise the error that *answer* stands for; return for 2xx and the statuses in *also*."""
    if 200 <= answer.status < 300 or answer.status in also:
        return
    raise _error(answer)


def refuse_if_broken(answer: Answer) -> None:
    """Return unless the server broke down at a write (500): what was written may be to blame.

    Said again, it would break down again, and stand in the way of its neighbours.

    Raises:
        RequestRefused: It did; it may have done its work all the same.
    """
    if answer.status == 500:
        what = f"{answer.what} answered 500: the server broke down at this request"
        raise RequestRefused(what, status=500, code=error_code(answer))


def refuse_unless_done(answer: Answer, status: int) -> None:
    """Return if a write was answered by *status* and an OK in DHIS2's own words.

    A proxy's or a login page's 200 says nothing of what was written.

    Raises:
        UnexpectedAnswer: It was not.
    """
    body = answer.json()
    if answer.status != status or not isinstance(body, dict) or body.get("status") != "OK":
        raise UnexpectedAnswer(
            f"{answer.what} answered {answer.status} and not {status} with a status of OK: "
            "see on the server whether it was done"
        )


def error_code(answer: Answer) -> str | None:
    """Return the DHIS2 code (`E1006`) of a refusal; its text quotes values and is left alone."""
    try:
        code = answer.json().get("errorCode")
    except (UnexpectedAnswer, AttributeError):
        return None
    return code if isinstance(code, str) else None


def _error(answer: Answer) -> Dhis2Error:
    if 300 <= answer.status < 400:
        return _redirected(answer)
    if answer.status == 429 or answer.status >= 500:
        return TransientError(
            f"{answer.what} answered {_status(answer)}: the server is busy, away or broke down",
            untouched=answer.status == 429,
            retry_after=seconds_to_wait(answer.retry_after),
        )
    return _BY_STATUS.get(answer.status, _refused)(answer)


def _redirected(answer: Answer) -> Dhis2Error:
    return UnexpectedAnswer(
        f"{answer.what} answered {answer.status}, a redirect, which is never followed: "
        "put the final address into the connection, and check its credentials"
    )


def _unauthorized(answer: Answer) -> Dhis2Error:
    return Unauthorized(
        f"{answer.what} answered {answer.status}: the user, password or token of the connection "
        "is not accepted; renew it in Airflow under Admin, Connections"
    )


def _forbidden(answer: Answer) -> Dhis2Error:
    return Unauthorized(
        f"{answer.what} answered {_status(answer)}: the account may not do this; "
        "give it the org units, the sharing or the authority it lacks"
    )


def _refused(answer: Answer) -> Dhis2Error:
    if "json" not in answer.kind:
        return UnexpectedAnswer(
            f"{answer.what} answered {answer.status} with {answer.kind[:40] or 'no content type'} "
            "instead of JSON: is the address of the connection that of a DHIS2 server?"
        )
    what = f"{answer.what} answered {_status(answer)}"
    return RequestRefused(what, status=answer.status, code=error_code(answer))


def _status(answer: Answer) -> str:
    code = error_code(answer)
    return f"{answer.status} ({code})" if code else str(answer.status)


_BY_STATUS: dict[int, Callable[[Answer], Dhis2Error]] = {401: _unauthorized, 403: _forbidden}
