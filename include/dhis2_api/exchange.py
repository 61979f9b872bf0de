"""The exchange: what one request says, and how long it waits for how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


Params = Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds, and how much to take.

    Attributes:
        connect: For the connection.
        read: For each part of an answer.
        whole: For an answer from its request on; looked at whenever a part has come.
        answer_bytes: The longest answer, unpacked.
    """

    connect: float = 10.0
    read: float = 300.0
    whole: float = 900.0
    answer_bytes: int = 1 << 28


@dataclass(frozen=True, slots=True)
class Request:
    """One request; its `repr` leaves out what may be a patient's.

    Attributes:
        method: The HTTP method.
        path: The path below the server's address.
        params: The query.
        body: The bytes to send.
        kind: What they are.
        accept: What may come back.
        files: Part -> name, bytes and type, to be sent as a form instead of a body.
    """

    method: str
    path: str
    params: Params = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    kind: str = ""
    accept: str = "application/json"
    files: Mapping[str, tuple[str, bytes, str]] | None = field(default=None, repr=False)
