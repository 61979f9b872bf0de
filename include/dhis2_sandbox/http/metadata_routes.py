"""How is metadata read and written over HTTP?"""

from typing import Any

from fastapi import APIRouter, Response

from dhis2_sandbox.access.rights import METADATA_READ
from dhis2_sandbox.http.answers import Refused, json_answer
from dhis2_sandbox.http.metadata_objects import known_class, known_object
from dhis2_sandbox.http.visits import Asking, Visit, demand
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.defaults import defaults_of
from dhis2_sandbox.metadata.members import shown
from dhis2_sandbox.metadata.program_export import program_closure
from dhis2_sandbox.metadata.query import chosen, metadata_pager
from dhis2_sandbox.metadata.store import Members, Metadata
from dhis2_sandbox.metadata.viewing import Viewer, selection_for


router = APIRouter(prefix="/api")
_EXPORT = "F_METADATA_EXPORT"
#: What skipSharing leaves out of the objects themselves, and of nothing inside (metadata 1.2).
_SHARING = frozenset({"user", "publicAccess", "userGroupAccesses", "userAccesses", "sharing"})


@router.get("/metadata")
def export_metadata(asking: Asking) -> Response:
    """Answer the classes that are asked for, or all of them (metadata 1.2)."""
    asked = {name.split(":")[0] for name in asking.query} & set(CLASSES)
    wanted = {name for name in asked if asking.query.get(name) != "false"}
    users_hidden = "users" in wanted and not asking.rights.has("F_USER_VIEW")
    if (users_hidden or not wanted) and not asking.rights.has(_EXPORT):
        _refuse_export()
    found = {
        plural: _of_class(asking, plural) for plural in CLASSES if plural in wanted or not wanted
    }
    return json_answer(_system(asking) | {name: items for name, items in found.items() if items})


def _of_class(asking: Visit, plural: str) -> list[Members]:
    """Return the objects of one class that the account may read and the request asks for."""
    query, metadata = asking.request.query_params, asking.sandbox.metadata
    filters = [*query.getlist("filter"), *query.getlist(f"{plural}:filter")]
    order = query.get(f"{plural}:order") or query.get("order")
    fields = query.get(f"{plural}:fields") or query.get("fields") or ":owner"
    viewer, selection = Viewer(metadata), selection_for({}, fields)
    items = [
        _as_asked(asking, plural, viewer.show(item, selection))
        for item in chosen(_readable(asking, plural), filters, metadata, order)
    ]
    return [item for item in items if item]


def _as_asked(asking: Visit, plural: str, view: Members) -> Members:
    """Return an object without sharing and defaults, as far as the request wants neither."""
    view = _without_sharing(asking, view)
    if asking.query.get("defaults") != "EXCLUDE":
        return view
    return defaults_of(asking.sandbox.metadata).left_out(plural, view)


@router.get("/programs/{uid}/metadata")
def export_program(uid: str, asking: Asking) -> Response:
    """Answer a program with what it is made of (recordings: 022 to 025, 216)."""
    if not asking.rights.has(_EXPORT):
        _refuse_export()
    program = asking.sandbox.metadata.get("programs", uid)
    demand(program, "Program", uid)
    viewer, selection = Viewer(asking.sandbox.metadata), selection_for({}, ":owner")
    closure = program_closure(asking.sandbox.metadata, program or {})
    found = {
        plural: [_without_sharing(asking, viewer.show(item, selection)) for item in items]
        for plural, items in closure.items()
    }
    return json_answer(_system(asking) | found)


def _without_sharing(asking: Visit, view: Members) -> Members:
    gone = _SHARING if asking.query.get("skipSharing") == "true" else frozenset()
    return {name: value for name, value in view.items() if name not in gone}


@router.get("/{plural}")
def list_metadata(plural: str, asking: Asking) -> Response:
    """Answer one page of a class."""
    known_class(plural, asking)
    query, metadata = asking.query, asking.sandbox.metadata
    filters = asking.request.query_params.getlist("filter")
    items = chosen(_readable(asking, plural), filters, metadata, query.get("order"))
    pager, page = metadata_pager(asking.address, asking.parameters, items)
    selection = selection_for(query, "id,displayName")
    views = [
        Viewer(metadata).show(
            shown(item, asking.base_url, plural, asking.sandbox.dialect.minor), selection
        )
        for item in page
    ]
    return json_answer(({} if pager is None else {"pager": pager}) | {plural: views})


@router.get("/{plural}/{uid}")
def read_metadata(plural: str, uid: str, asking: Asking) -> Response:
    """Answer one object."""
    item = known_object(plural, uid, asking, METADATA_READ)
    selection = selection_for(asking.query, "*")
    view = Viewer(asking.sandbox.metadata).show(
        shown(item, asking.base_url, plural, asking.sandbox.dialect.minor), selection
    )
    return json_answer(view)


def _readable(asking: Visit, plural: str) -> list[Members]:
    metadata: Metadata = asking.sandbox.metadata
    items = metadata.all(plural)
    if not CLASSES[plural].shared or plural == "organisationUnits":
        return list(items)
    return [item for item in items if asking.rights.may(METADATA_READ, item)]


def _system(asking: Visit) -> dict[str, Any]:
    version, date = asking.sandbox.dialect.version, asking.sandbox.clock.stamp()
    return {"system": {"id": asking.sandbox.system_id, "version": version, "date": date}}


def _refuse_export() -> None:
    message = (
        "Unfiltered access to metadata export requires super user or 'F_METADATA_EXPORT' authority."
    )
    raise Refused(409, message)
