"""What happens to a request before DHIS2 sees it, and to the answer after?

Tomcat refuses what is too long; a new session's cookie goes out with the answer.
"""

from http.cookies import SimpleCookie

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dhis2_sandbox.access.accounts import COOKIE
from dhis2_sandbox.http.answers import tomcat_page


_LONGEST_URL = 8000


class FrontDoor:
    """The ASGI layer around the application."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, unless its URL is too long (measured)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = len(scope["raw_path"]) + len(scope["query_string"])
        if length > _LONGEST_URL:
            page = tomcat_page(400, "Request header is too large", "Exception Report")
            await page(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            session = getattr(Request(scope).state, "new_session", None)
            if message["type"] == "http.response.start" and session is not None:
                message["headers"] = [*message["headers"], (b"set-cookie", _cookie(session))]
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _cookie(session: str) -> bytes:
    cookie = SimpleCookie({COOKIE: session})
    for name, value in (("path", "/"), ("httponly", True), ("samesite", "Lax")):
        cookie[COOKIE][name] = value
    return cookie[COOKIE].OutputString().encode()
