"""How does a connection break while an answer is under way?"""

import asyncio
import socket
import struct
from collections.abc import MutableMapping
from typing import Any, TypeAlias

from starlette.types import Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from dhis2_sandbox.faults.answers import Answer


_Ends: TypeAlias = tuple[Any, Any]
_OPEN: MutableMapping[_Ends, asyncio.Transport] = {}
#: Linger for no time: the peer gets a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)
_MOMENT = 0.02


def _made(protocol: Any, transport: asyncio.Transport) -> None:
    AutoHTTPProtocol.connection_made(protocol, transport)
    _OPEN[(protocol.client, protocol.server)] = transport


def _lost(protocol: Any, error: Exception | None) -> None:
    _OPEN.pop((protocol.client, protocol.server), None)
    AutoHTTPProtocol.connection_lost(protocol, error)


#: uvicorn's own protocol, whose connections can be found by their two ends.
BreakableProtocol = type(
    "BreakableProtocol", (AutoHTTPProtocol,), {"connection_made": _made, "connection_lost": _lost}
)


async def reset(scope: Scope) -> None:
    """Break the connection of a request; nothing is answered.

    Raises:
        ConnectionResetError: without a socket, i.e. in process.
    """
    transport = _transport_of(scope)
    if transport is None:
        raise ConnectionResetError("the sandbox was told to break the connection")
    connected = transport.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
    await asyncio.sleep(_MOMENT)


async def send_half(scope: Scope, send: Send, answer: Answer) -> None:
    """Send the first half of an answer, then end the connection.

    Raises:
        ConnectionResetError: without a socket, i.e. in process.
    """
    length = (b"content-length", str(len(answer.body)).encode())
    start = {"type": "http.response.start", "status": answer.status}
    await send(start | {"headers": [*answer.headers, length]})
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    transport = _transport_of(scope)
    if transport is None:
        raise ConnectionResetError("the sandbox was told to break the connection")
    transport.close()
    await asyncio.sleep(_MOMENT)


def _transport_of(scope: Scope) -> asyncio.Transport | None:
    return _OPEN.get((scope.get("client"), scope.get("server")))
