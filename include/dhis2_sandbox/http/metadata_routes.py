"""How is metadata read and written over HTTP?"""

from typing import Any

from fastapi import APIRouter, Response

from dhis2_sandbox.access.rights import METADATA_READ
from dhis2_sandbox.http.answers import Refused, json_answer
from dhis2_sandbox.http.metadata_objects import known_class, known_object
from dhis2_sandbox.http.visits import Asking, Visit, demand
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.members import shown
from dhis2_sandbox.metadata.program_export import program_closure
from dhis2_sandbox.metadata.query import chosen, metadata_pager
from dhis2_sandbox.metadata.store import Members, Metadata
from dhis2_sandbox.metadata.viewing import Viewer, selection_for


router = APIRouter(prefix="/api")
_EXPORT = "F_METADATA_EXPORT"


@router.get("/metadata")
def export_metadata(asking: Asking) -> Response:
    """Answer the classes that are asked for, or all of them."""
    asked = {name.split(":")[0] for name in asking.query} & set(CLASSES)
    wanted = {name for name in asked if asking.query.get(name) != "false"}
    if not wanted and not asking.rights.has(_EXPORT):
        _refuse_export()
    found = {}
    for plural in [name for name in CLASSES if name in (wanted or CLASSES)]:
        own = {key: asking.query.get(f"{plural}:{key}") for key in ("fields", "filter", "order")}
        fields = own["fields"] or asking.query.get("fields") or ":owner"
        filters = [own["filter"]] if own["filter"] else []
        viewer, selection = Viewer(asking.sandbox.metadata), selection_for({}, fields)
        items = chosen(_readable(asking, plural), filters, asking.sandbox.metadata, own["order"])
        found[plural] = [viewer.show(item, selection) for item in items]
    return json_answer(_system(asking) | {name: items for name, items in found.items() if items})


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
        plural: [viewer.show(item, selection) for item in items]
        for plural, items in closure.items()
    }
    return json_answer(_system(asking) | found)


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
        Viewer(metadata).show(shown(item, asking.base_url, plural), selection) for item in page
    ]
    return json_answer(({} if pager is None else {"pager": pager}) | {plural: views})


@router.get("/{plural}/{uid}")
def read_metadata(plural: str, uid: str, asking: Asking) -> Response:
    """Answer one object."""
    item = known_object(plural, uid, asking, METADATA_READ)
    selection = selection_for(asking.query, "*")
    view = Viewer(asking.sandbox.metadata).show(shown(item, asking.base_url, plural), selection)
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
