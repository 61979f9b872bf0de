"""What becomes of a request that meets a fault?"""

import asyncio
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dhis2_sandbox.faults.answers import Answer, answer_without_work, changed
from dhis2_sandbox.faults.connection import reset, send_half
from dhis2_sandbox.faults.delays import KEY, Delays
from dhis2_sandbox.faults.rules import Fault, Faults, Rule


CONTROL = "/sandbox/faults"
_RULES = TypeAdapter(list[Rule])
_OWN_LENGTH = frozenset({b"content-length", b"transfer-encoding"})


class FaultLayer:
    """Stands before everything else; POST, GET and DELETE of /sandbox/faults order its faults."""

    def __init__(self, app: ASGIApp) -> None:
        """Start without a fault."""
        self._app = app
        self._faults = Faults()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, unless a fault meets it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == CONTROL:
            await _send(send, self._ordered(scope["method"], await _body(receive)))
            return
        asked = scope["path"] + "?" + scope["query_string"].decode("latin-1")
        faults = self._faults.meeting(scope["method"], asked)
        if faults:
            await self._suffer(faults, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _ordered(self, method: str, body: bytes) -> Answer:
        status, told = 200, None
        if method == "POST":
            try:
                self._faults.add(_RULES.validate_json(body))
            except ValidationError as error:
                status, told = 400, json.loads(error.json(include_url=False, include_context=False))
        elif method == "DELETE":
            self._faults.clear()
        text = json.dumps(self._faults.told() if told is None else told).encode()
        return Answer(status, ((b"content-type", b"application/json"),), text)

    async def _suffer(
        self, faults: list[Fault], scope: Scope, receive: Receive, send: Send
    ) -> None:
        body, kinds = await _body(receive), {fault.kind for fault in faults}
        await asyncio.sleep(sum(fault.seconds for fault in faults if fault.kind == "latency"))
        for fault in faults:
            if fault.kind == "reset" and not fault.done:
                await reset(scope)
                return
            early = answer_without_work(fault, scope["method"])
            if early is not None:
                await _send(send, early)
                return
        answer = await self._answer(faults, scope, body)
        for fault in faults:
            answer = changed(answer, fault)
        if "reset" in kinds:
            await reset(scope)
        elif "truncated" in kinds:
            await send_half(scope, send, answer)
        else:
            await _send(send, answer)

    async def _answer(self, faults: list[Fault], scope: Scope, body: bytes) -> Answer:
        behind = sum(fault.seconds for fault in faults if fault.kind == "late_commit")
        pause = sum(fault.seconds for fault in faults if fault.kind == "unprotected")
        inner = {**scope, KEY: Delays(behind, pause)}
        if any(fault.kind == "twice" for fault in faults):
            await self._work(dict(inner), body)
        return await self._work(inner, body)

    async def _work(self, scope: Scope, body: bytes) -> Answer:
        """Let the application answer, and keep the answer back."""
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        start, *parts = messages
        headers = tuple(
            (name, value) for name, value in start["headers"] if name.lower() not in _OWN_LENGTH
        )
        return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in parts))


async def _body(receive: Receive) -> bytes:
    """Read a request's body whole."""
    parts, more = [], True
    while more:
        message: dict[str, Any] = dict(await receive())
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(send: Send, answer: Answer) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    start = {"type": "http.response.start", "status": answer.status}
    await send(start | {"headers": [*answer.headers, length]})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
