"""How is tracker data read over HTTP?"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fastapi import APIRouter, Response

from dhis2_sandbox.exports.asked import Asked
from dhis2_sandbox.exports.children import Children
from dhis2_sandbox.exports.details import Details
from dhis2_sandbox.exports.enrollment_listing import enrollments
from dhis2_sandbox.exports.entity_listing import people
from dhis2_sandbox.exports.event_listing import events
from dhis2_sandbox.exports.fields import Selection, parse_fields
from dhis2_sandbox.exports.listing import Listing
from dhis2_sandbox.exports.paging import Paging, page_members, pager, paging_from
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.exports.part_views import visible
from dhis2_sandbox.exports.reading import single_row
from dhis2_sandbox.exports.relationship_listing import relationships
from dhis2_sandbox.exports.short_pages import kept_rows
from dhis2_sandbox.http.answers import RefusedByTomcat, json_answer
from dhis2_sandbox.http.visits import Asking, Visit
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.metadata.store import Members


router = APIRouter(prefix="/api/tracker")


class Endpoint(NamedTuple):
    """One tracker listing: what it lists, how, and what it shows unless `fields` says otherwise."""

    kind: Kind
    listing: Callable[[Asked], Listing]
    fields: str


_ENROLLMENT_LISTS = ("attributes", "events", "notes", "relationships")
_END = "[trackedEntity[trackedEntity],enrollment[enrollment],event[event]]"
_ENDPOINTS: Mapping[str, Endpoint] = {
    "trackedEntities": Endpoint(
        Kind.ENTITY, people, "*,!relationships,!enrollments,!events,!programOwners"
    ),
    "enrollments": Endpoint(Kind.ENROLLMENT, enrollments, "*,!relationships,!events,!attributes"),
    "events": Endpoint(Kind.EVENT, events, "*,!relationships"),
    "relationships": Endpoint(
        Kind.RELATIONSHIP,
        relationships,
        f"relationship,relationshipType,createdAtClient,from{_END},to{_END}",
    ),
}


@router.get("/{endpoint}")
def list_objects(endpoint: str, asking: Asking) -> Response:
    """Answer one page of people, enrollments, events or relationships."""
    known, dialect = _endpoint(endpoint, asking), asking.sandbox.dialect
    paging = paging_from(asking.parameters, limited=known.kind is Kind.ENTITY)
    views, more, total = page_of(asking, endpoint, asking.parameters, paging)
    page = {dialect.rows_member or endpoint: views}
    if paging.size is None:
        return json_answer(page)
    return json_answer({**_page_members(asking, paging, more=more, total=total), **page})


def page_of(
    asking: Visit, endpoint: str, parameters: Parameters, paging: Paging
) -> tuple[list[Members], bool, int | None]:
    """Return the objects of a page, whether another follows, and the total if it is asked for."""
    known, sandbox = _ENDPOINTS[endpoint], asking.sandbox
    asked = Asked(parameters, sandbox.model, asking.rights, parameters.dialect)
    selection = parse_fields(parameters.text("fields") or known.fields)
    with sandbox.database.reading() as connection:
        listing = known.listing(asked)
        rows = listing.page(connection, paging)
        total = listing.count(connection) if paging.with_total else None
        children = Children(
            connection,
            asked.model,
            asked.rights,
            asked.dialect,
            program=parameters.text("program"),
            every_program=_shows_every_program("listing", asked, selection),
            deleted=parameters.flag("includeDeleted"),
        )
        shown = kept_rows(connection, endpoint, rows, asked)[: paging.size]
        views = Details(children).show(known.kind, shown, selection)
    if known.kind is Kind.ENTITY:
        views = [visible(view, endpoint, asked.dialect.hidden_in_people) for view in views]
    if known.kind is Kind.ENROLLMENT and asked.dialect.listed_enrollments_bare:
        views = [view | {name: [] for name in _ENROLLMENT_LISTS if name in view} for view in views]
    return views, paging.size is not None and len(rows) > paging.size, total


@router.get("/{endpoint}/{uid}")
def read_object(endpoint: str, uid: str, asking: Asking) -> Response:
    """Answer one object. A deleted one is not found."""
    known = _endpoint(endpoint, asking)
    asked = _asked(asking)
    program = asked.program
    selection = parse_fields(asking.query.get("fields") or known.fields)
    with asking.sandbox.database.reading() as connection:
        row = single_row(connection, known.kind, uid, asked)
        children = Children(
            connection,
            asked.model,
            asked.rights,
            asked.dialect,
            program=program["id"] if program else None,
            every_program=_shows_every_program("single", asked, selection),
        )
        return json_answer(Details(children).show(known.kind, [row], selection)[0])


def _page_members(
    asking: Visit, paging: Paging, *, more: bool, total: int | None
) -> Mapping[str, object]:
    """Return what the version says of the page, beside its rows (tracker-api 1.4)."""
    plain, style = page_members(paging, total), asking.sandbox.dialect.pager_style
    if style == "links":
        pairs = asking.parameters.pairs
        return {"pager": pager(asking.address, pairs, paging, more=more, total=total)}
    return plain if style == "flat" else {"pager": plain, **plain}


def _shows_every_program(reading: str, asked: Asked, selection: Selection) -> bool:
    unlimited = asked.parameters.text("program") is None and selection.asks_for("enrollments")
    wide = asked.rights.superuser or (unlimited and reading == "listing")
    return wide and reading in asked.dialect.shows_every_program


def _endpoint(name: str, asking: Visit) -> Endpoint:
    if name not in _ENDPOINTS:
        raise RefusedByTomcat(404, f"No static resource {asking.request.url.path.strip('/')}.")
    return _ENDPOINTS[name]


def _asked(asking: Visit) -> Asked:
    sandbox = asking.sandbox
    return Asked(asking.parameters, sandbox.model, asking.rights, sandbox.dialect)
