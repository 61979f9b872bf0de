"""How is metadata read and written over HTTP?"""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from dhis2_sandbox.access.rights import METADATA_READ, METADATA_WRITE
from dhis2_sandbox.http.answers import Refused, json_answer, web_message
from dhis2_sandbox.http.visits import Asking, Visit, demand
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.importer import options_from
from dhis2_sandbox.metadata.links import relink
from dhis2_sandbox.metadata.members import shown, user_reference
from dhis2_sandbox.metadata.program_export import program_closure
from dhis2_sandbox.metadata.query import Viewer, chosen, metadata_pager, selection_for
from dhis2_sandbox.metadata.store import Members, Metadata


router = APIRouter(prefix="/api")
_EXPORT = "F_METADATA_EXPORT"


@router.post("/metadata")
def import_metadata(asking: Asking) -> Response:
    """Take a payload in (recordings: 011 to 021)."""
    importer = asking.sandbox.metadata_importer()
    body, options = _json_body(asking), options_from(asking.query)
    status, members = importer.take(body, asking.rights, options)
    return web_message(status, **members)


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
    _known_class(plural, asking)
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
    item = _object(plural, uid, asking, METADATA_READ)
    selection = selection_for(asking.query, "*")
    view = Viewer(asking.sandbox.metadata).show(shown(item, asking.base_url, plural), selection)
    return json_answer(view)


@router.patch("/{plural}/{uid}")
def patch_metadata(plural: str, uid: str, asking: Asking) -> Response:
    """Change members of one object by JSON patch (recordings: 031, 376 to 394)."""
    item = dict(_object(plural, uid, asking, METADATA_WRITE))
    for step in _json_body(asking):
        member = str(step["path"]).strip("/")
        if step["op"] == "remove":
            item.pop(member, None)
        else:
            item[member] = step["value"]
    author = asking.sandbox.metadata.get("users", asking.rights.uid) or {"id": asking.rights.uid}
    item |= {
        "lastUpdated": asking.sandbox.clock.stamp(),
        "lastUpdatedBy": user_reference(author),
    }
    store = asking.sandbox.store
    with store.changing() as connection:
        store.put(connection, plural, [item])
        store.refresh()
        relink(store, connection)
    return _object_report(plural, uid)


@router.delete("/{plural}/{uid}")
def delete_metadata(plural: str, uid: str, asking: Asking) -> Response:
    """Delete one object. Data that carries it stays as it is."""
    _object(plural, uid, asking, METADATA_WRITE)
    store = asking.sandbox.store
    with store.changing() as connection:
        store.remove(connection, plural, uid)
        store.refresh()
        relink(store, connection)
    return _object_report(plural, uid)


def _known_class(plural: str, asking: Visit) -> None:
    if plural not in CLASSES:
        raise Refused(404, f"No static resource {asking.request.url.path.strip('/')}.")


def _object(plural: str, uid: str, asking: Visit, wish: int) -> Members:
    _known_class(plural, asking)
    item = asking.sandbox.metadata.get(plural, uid)
    demand(item, CLASSES[plural].name, uid)
    found: Members = item or {}
    if CLASSES[plural].shared and not asking.rights.may(wish, found):
        raise Refused(403, f"You don't have the proper permissions to access: {uid}", "E1006")
    return found


def _readable(asking: Visit, plural: str) -> list[Members]:
    metadata: Metadata = asking.sandbox.metadata
    items = metadata.all(plural)
    if not CLASSES[plural].shared or plural == "organisationUnits":
        return list(items)
    return [item for item in items if asking.rights.may(METADATA_READ, item)]


def _object_report(plural: str, uid: str) -> Response:
    report = {"uid": uid, "klass": CLASSES[plural].klass, "errorReports": []}
    return web_message(200, response=report | {"responseType": "ObjectReportWebMessageResponse"})


def _system(asking: Visit) -> dict[str, Any]:
    version, date = asking.sandbox.dialect.version, asking.sandbox.clock.stamp()
    return {"system": {"id": asking.sandbox.system_id, "version": version, "date": date}}


def _refuse_export() -> None:
    message = (
        "Unfiltered access to metadata export requires super user or 'F_METADATA_EXPORT' authority."
    )
    raise Refused(409, message)


def _json_body(asking: Visit) -> Any:
    try:
        body: list[Any] | Mapping[str, Any] = json.loads(asking.body)
    except ValueError as error:
        raise Refused(400, f"JSON parse error: {error}") from error
    return body
