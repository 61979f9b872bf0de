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
from dhis2_sandbox.exports.fields import parse_fields
from dhis2_sandbox.exports.listing import Listing
from dhis2_sandbox.exports.parameters import pager, paging_from
from dhis2_sandbox.exports.reading import single_row
from dhis2_sandbox.exports.relationship_listing import relationships
from dhis2_sandbox.http.answers import RefusedByTomcat, json_answer
from dhis2_sandbox.http.visits import Asking, Visit
from dhis2_sandbox.imports.kinds import Kind


router = APIRouter(prefix="/api/tracker")


class Endpoint(NamedTuple):
    """One tracker listing: what it lists, how, and what it shows unless `fields` says otherwise."""

    kind: Kind
    listing: Callable[[Asked], Listing]
    fields: str


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
    known = _endpoint(endpoint, asking)
    asked = _asked(asking)
    limited = known.kind is Kind.ENTITY
    limit = asking.sandbox.dialect.page_size_limit if limited else None
    paging = paging_from(asked.parameters, limit)
    selection = parse_fields(asking.query.get("fields") or known.fields)
    with asking.sandbox.database.reading() as connection:
        listing = known.listing(asked)
        rows = listing.page(connection, paging)
        total = listing.count(connection) if paging.with_total else None
        shown = rows[: paging.size]
        details = Details(
            Children(
                connection,
                asked.model,
                asked.rights,
                asked.dialect,
                program=asked.parameters.text("program"),
                deleted=asked.parameters.flag("includeDeleted"),
            )
        )
        page = {endpoint: details.show(known.kind, shown, selection)}
    if paging.size is None:
        return json_answer(page)
    more = len(rows) > len(shown)
    links = pager(asking.address, asked.parameters.pairs, paging, more=more, total=total)
    return json_answer({"pager": links, **page})


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
        )
        return json_answer(Details(children).show(known.kind, [row], selection)[0])


def _endpoint(name: str, asking: Visit) -> Endpoint:
    if name not in _ENDPOINTS:
        raise RefusedByTomcat(404, f"No static resource {asking.request.url.path.strip('/')}.")
    return _ENDPOINTS[name]


def _asked(asking: Visit) -> Asked:
    sandbox = asking.sandbox
    return Asked(asking.parameters, sandbox.model, asking.rights, sandbox.dialect)
