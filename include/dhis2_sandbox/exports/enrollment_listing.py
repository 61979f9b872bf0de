"""Which enrollments does /api/tracker/enrollments list?"""

from dhis2_sandbox.exports.asked import (
    STAMPS,
    Asked,
    as_json,
    enrolled,
    owner_checked_after_page,
    reach_of,
)
from dhis2_sandbox.exports.listing import AMONG, Listing, updated_bounds
from dhis2_sandbox.exports.scope import readable_programs
from dhis2_sandbox.http.answers import Refused


_ENDPOINT = "enrollments"
_OWNER = "(SELECT o.org_unit FROM owner o WHERE o.entity = t.entity AND o.program = t.program)"
_BUG = 'ERROR: column reference "created" is ambiguous\n  Position: 1465'
_COLUMNS = {
    "enrolledAt": "t.enrolled_at",
    "occurredAt": "t.occurred_at",
    "completedAt": "t.completed_at",
}


def enrollments(asked: Asked) -> Listing:
    """Return the listing of enrollments.

    Raises:
        Refused: as for people; and 409 for an order that is the server's own error (recordings:
            182-list-enrollments-updated).
    """
    parameters, listing = asked.parameters, Listing("enrollment")
    if asked.dialect.program_required and parameters.text("program") is None:
        raise Refused(400, "Program is mandatory", "E1003")
    program, entity_type, uids = asked.program, asked.entity_type, asked.uids(_ENDPOINT)
    scope = asked.scope(_ENDPOINT)
    order = parameters.text("order") or ""
    if "createdAt:" in f"{order}:" and asked.dialect.enrollments_by_created_fail:
        raise Refused(409, _BUG)
    if program is not None:
        listing.where("t.program = ?", program["id"])
    else:
        listing.where_in("t.program", readable_programs(asked.model, asked.rights))
    if entity_type is not None:
        listing.where("(SELECT type FROM entity e WHERE e.uid = t.entity) = ?", entity_type)
    if uids:
        listing.where_in("t.uid", uids)
    if parameters.text("trackedEntity") is not None:
        listing.where("t.entity = ?", parameters.text("trackedEntity"))
    if not parameters.flag("includeDeleted"):
        listing.where("t.deleted = 0")
    checked = not owner_checked_after_page(asked, _ENDPOINT)
    reach = reach_of(scope, program) if checked else scope.org_units
    if reach is not None:
        place = "t.org_unit" if asked.dialect.by_own_org_unit else f"coalesce({_OWNER}, t.org_unit)"
        listing.where(f"{place} {AMONG}", as_json(reach))
    status = parameters.text("status") or parameters.text("programStatus")
    if status is not None:
        listing.where("t.status = ?", status)
    enrolled(listing, parameters, "t")
    after, _ = updated_bounds(parameters)
    listing.between("t.updated_at", after, None)
    listing.order_by(parameters, _COLUMNS | STAMPS, asked.dialect.orders[_ENDPOINT])
    return listing
