"""The body: how an answer's bytes come in, and when there are too many or they are too late."""

from __future__ import annotations

import time

import requests

from dhis2_api.errors import TransientError, UnexpectedAnswer
from dhis2_api.exchange import Limits


_PART = 1 << 16


def read_body(response: requests.Response, what: str, limits: Limits, began: float) -> bytes:
    """Return the whole body of an answer, unpacked.

    It is taken as it arrives: who waits for a block of bytes waits for ever for a server
    that sends one byte each time patience ends.

    Args:
        response: The answer, opened as a stream.
        what: The request, for messages.
        limits: How much is taken, and how long after *began*.
        began: When the request was sent, by the monotonic clock.

    Raises:
        TransientError: It is not there in time.
        UnexpectedAnswer: It is too long.
        urllib3.exceptions.HTTPError: It broke off, or does not unpack.
    """
    body = bytearray()
    while part := response.raw.read1(_PART, decode_content=True):
        body += part
        if len(body) > limits.answer_bytes:
            raise UnexpectedAnswer(
                f"{what}: the answer is longer than {limits.answer_bytes} bytes: "
                "ask for smaller pages"
            )
        if time.monotonic() - began > limits.whole:
            raise TransientError(
                f"{what} was not answered whole within {limits.whole:g} s: "
                "ask for smaller pages, or see what slows the server or the way to it"
            )
    return bytes(body)
