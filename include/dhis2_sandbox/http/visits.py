"""How does a request reach the sandbox, and who makes it?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from dhis2_sandbox.access.accounts import Visitor
from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.faults.delays import Delays, delays_of
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.sandbox import Sandbox


class Nobody(Exception):
    """The request proves no account."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One authenticated request, body included."""

    sandbox: Sandbox
    rights: Rights
    request: Request
    body: bytes

    @property
    def base_url(self) -> str:
        """The server's own address, as this client knows it."""
        return str(self.request.base_url).rstrip("/")

    @property
    def address(self) -> str:
        """The address that was asked, without its query."""
        return self.base_url + self.request.url.path

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters; of repeated ones the last."""
        return self.request.query_params

    @property
    def delays(self) -> Delays:
        """How late a fault makes an import."""
        return delays_of(self.request.scope)

    @property
    def parameters(self) -> Parameters:
        """The parameters in their order, read by the server's clock."""
        return Parameters(
            self.request.query_params.multi_items(), self.sandbox.clock, self.sandbox.dialect
        )


async def body_of(request: Request) -> bytes:
    """Read the body before the request leaves for a worker thread."""
    return await request.body()


def visit(request: Request, body: Annotated[bytes, Depends(body_of)]) -> Visit:
    """Recognise who asks, and open a session for who came with a password.

    Raises:
        Nobody: if nobody is recognised.
    """
    sandbox: Sandbox = request.app.state.sandbox
    visitor: Visitor | None = sandbox.accounts.recognise(request)
    if visitor is None:
        raise Nobody
    if visitor.new_session is not None:
        request.state.new_session = visitor.new_session
    return Visit(sandbox, visitor.rights, request, body)


def demand(found: object, kind: str, uid: str) -> None:
    """Refuse with 404 what is not there.

    Raises:
        Refused: 404, E1005.
    """
    if found is None:
        raise Refused(404, f"{kind} with id {uid} could not be found.", "E1005")


Asking = Annotated[Visit, Depends(visit)]
