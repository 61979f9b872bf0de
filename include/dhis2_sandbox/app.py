"""How do the sandbox's parts become one ASGI application?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from dhis2_sandbox.clock import Clock
from dhis2_sandbox.faults.layer import FaultLayer
from dhis2_sandbox.http import (
    data_store_routes,
    export_routes,
    file_routes,
    legacy_routes,
    metadata_change_routes,
    metadata_routes,
    system_routes,
    tracker_routes,
)
from dhis2_sandbox.http.answers import Refused, RefusedByTomcat, tomcat_page, web_message
from dhis2_sandbox.http.front_door import FrontDoor
from dhis2_sandbox.http.visits import Asking, Nobody
from dhis2_sandbox.start import Superuser, fill_with_district, open_sandbox
from dhis2_sandbox.versions import DEFAULT_VERSION


#: In the order in which addresses are looked up.
_ROUTES = (
    system_routes,
    data_store_routes,
    file_routes,
    legacy_routes,
    tracker_routes,
    export_routes,
    metadata_change_routes,
    metadata_routes,
)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
_XHR = "XMLHttpRequest"


def create_app(
    data: Path,
    *,
    district: bool = False,
    superuser: Superuser | None = None,
    clock: Clock | None = None,
    version: str = DEFAULT_VERSION,
    faults: bool = False,
) -> ASGIApp:
    """Return a DHIS2 over a data file.

    Args:
        data: the SQLite file; it is made if it is not there.
        district: fill a new server with the small health district.
        superuser: password and token of `admin`; those that are not given stay as they were.
        clock: the server's zone and time.
        version: which DHIS2 to play.
        faults: let faults be ordered at /sandbox/faults.

    Raises:
        ValueError: if the district is refused.
    """
    sandbox = open_sandbox(data, version, clock or Clock(), superuser or Superuser())
    if district:
        fill_with_district(sandbox)
    app = FastAPI(openapi_url=None, lifespan=_closing)
    app.state.sandbox = sandbox
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Nobody, _nobody)
    app.router.routes.extend(_routes())
    door = FrontDoor(app)
    return FaultLayer(door) if faults else door


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return what all sandboxes of a process share: FastAPI takes its time to look at it."""
    router = APIRouter()
    for routes in _ROUTES:
        router.include_router(routes.router)
    router.add_api_route("/{path:path}", _unknown_path, methods=_METHODS)
    return tuple(router.routes)


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    """Let go of the data file when the server stops."""
    yield
    app.state.sandbox.database.close()


def _unknown_path(path: str, asking: Asking) -> Response:
    """Answer like Tomcat what is no address of DHIS2."""
    del asking
    return tomcat_page(404, f"No static resource {path}.")


async def _refused(request: Request, refusal: Exception) -> Response:
    del request
    if not isinstance(refusal, Refused):
        raise refusal
    if isinstance(refusal, RefusedByTomcat):
        return tomcat_page(refusal.status, refusal.message)
    return web_message(refusal.status, refusal.message, refusal.code)


async def _nobody(request: Request, nobody: Exception) -> Response:
    """Send browsers to the login page and tell programs 401 (recordings: 003, 004, 245)."""
    del nobody
    if request.headers.get("X-Requested-With") == _XHR or "Authorization" in request.headers:
        return web_message(401, "Unauthorized")
    location = str(request.base_url) + "dhis-web-login/"
    return Response(status_code=302, headers={"Location": location})
