"""Hears what a sandbox is asked to import."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Watch:
    """An application that keeps what is sent to another one to be imported.

    Attributes:
        app: The other one.
        imports: The payloads, in the order they came.
        queued: Of each, whether it was for the server's queue.
        under_way: How many requests have no answer yet.
    """

    app: ASGIApp
    imports: list[dict[str, Any]] = field(default_factory=list)
    queued: list[bool] = field(default_factory=list)
    under_way: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        hears = scope["method"] == "POST" and scope["path"] == "/api/tracker"
        parts: list[bytes] = []

        async def heard() -> Message:
            message = await receive()
            parts.append(message.get("body", b""))
            if hears and message["type"] == "http.request" and not message.get("more_body"):
                self.imports.append(json.loads(b"".join(parts) or b"null"))
                self.queued.append(b"async=true" in scope["query_string"])
            return message

        self.under_way += 1
        try:
            await self.app(scope, heard, send)
        finally:
            self.under_way -= 1

    def rest(self) -> None:
        """Wait until everything that was begun is done."""
        end = time.monotonic() + 10
        while self.under_way and time.monotonic() < end:
            time.sleep(0.005)
        assert not self.under_way
