"""The errors of a connection: what each one says about the request that met it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from dhis2_api.errors import PermanentError, TransientError, UnexpectedAnswer


# After these nobody knows whether a write has happened, unless no connection was made.
_NO_WHOLE_ANSWER = (
    requests.ConnectionError,
    requests.Timeout,
    ProtocolError,
    ReadTimeoutError,
    urllib3.exceptions.SSLError,  # in the body; one of the handshake is the one of requests
)


@contextmanager
def our_errors(what: str) -> Iterator[None]:
    """Raise our error for one of `requests` or `urllib3` while *what* is asked.

    Their texts hold the URL, and a URL may hold a filter's value, so they go no further.

    Raises:
        TransientError: No answer, or half of one.
        PermanentError: The server's certificate is not trusted.
        UnexpectedAnswer: The answer is not HTTP.
    """
    try:
        yield
    except requests.exceptions.SSLError:
        raise PermanentError(
            f"{what}: the server's certificate is not trusted, or its TLS is older than 1.2: "
            "name its authority as `ca_file` of the connection, or mend the server"
        ) from None
    except _NO_WHOLE_ANSWER as error:
        raise TransientError(
            f"{what} got no answer, or half of one ({type(error).__name__}): check that the "
            "server is up and that its address in the connection is right",
            untouched=_never_left(error),
        ) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise UnexpectedAnswer(
            f"{what}: the answer could not be read ({type(error).__name__})"
        ) from None


def _never_left(error: Exception) -> bool:
    """Whether no connection was made: its time ran out, it was refused, or the name is unknown."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None  # requests wraps what urllib3 gave up for
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
