"""What can go wrong when talking to DHIS2, sorted by what to do about it.

* Dhis2Error
  + TransientError       try again: the same request may succeed
  + PermanentError       stop: a person must change something first
    - Unauthorized       the account, its token or its rights
    - UnsupportedVersion a server this release was not proven on
    - RequestRefused     the server understood the request and said no
  + UnexpectedAnswer     HTML, a wrong shape, a cut answer: never an empty page

An object that an import turns down is not an error here: it is a line of the
import report (see ``dhis2_api.importer``). No message ever quotes a server's
text, because DHIS2 quotes the values of patients (reliability F10).
"""

from __future__ import annotations


class Dhis2Error(Exception):
    """Something went wrong between us and a DHIS2 server; never raised itself."""


class TransientError(Dhis2Error):
    """The same request may succeed later; the outcome of a write is unknown.

    Attributes:
        untouched: Whether the server certainly did nothing, so that even a write may be repeated.
        retry_after: Seconds the server asked to wait, where it did.
    """

    def __init__(
        self, message: str, *, untouched: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.untouched = untouched
        self.retry_after = retry_after


class PermanentError(Dhis2Error):
    """Nothing changes until a person changes something."""


class Unauthorized(PermanentError):
    """The server does not accept the account, its token, or its rights."""


class UnsupportedVersion(PermanentError):
    """The server runs a version this release does not speak."""


class RequestRefused(PermanentError):
    """The server refused a whole request, and named no object in it.

    Attributes:
        status: The HTTP status of the answer.
        code: The DHIS2 code of the answer (`E1006`), where it had one.
    """

    def __init__(self, message: str, *, status: int, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class UnexpectedAnswer(Dhis2Error):
    """The answer is not what DHIS2 gives: a proxy's page, a wrong shape, a cut body."""
