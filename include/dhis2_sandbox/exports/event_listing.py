"""Which events does /api/tracker/events list?"""

from dhis2_sandbox.exports.asked import STAMPS, Asked, as_json, reach_of
from dhis2_sandbox.exports.filters import data_value_conditions
from dhis2_sandbox.exports.listing import AMONG, Listing, updated_bounds
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.exports.scope import readable_programs, readable_stages
from dhis2_sandbox.http.answers import RefusedByTomcat


_ENDPOINT = "events"
_OWNER = "(SELECT o.org_unit FROM owner o WHERE o.entity = t.entity AND o.program = t.program)"
_OF_ENROLLMENT = "(SELECT e.{} FROM enrollment e WHERE e.uid = t.enrollment)"
_COLUMNS = {
    "event": "t.uid",
    "program": "t.program",
    "programStage": "t.stage",
    "enrollment": "t.enrollment",
    "orgUnit": "t.org_unit",
    "trackedEntity": "t.entity",
    "occurredAt": "t.occurred_at",
    "scheduledAt": "t.scheduled_at",
    "completedAt": "t.completed_at",
    "status": "t.status",
}
_EQUAL = {
    "programStage": "t.stage = ?",
    "trackedEntity": "t.entity = ?",
    "status": "t.status = ?",
    "attributeOptionCombo": "t.option_combo = ?",
    "enrollmentStatus": f"{_OF_ENROLLMENT.format('status')} = ?",
}


def events(asked: Asked) -> Listing:
    """Return the listing of events: by the owner's org unit, or by their own if nobody owns them.

    Raises:
        Refused: as for people; a page from 2.43 without `program` (recordings: 158).
    """
    parameters, listing = asked.parameters, Listing("event")
    if asked.dialect.program_required and parameters.text("program") is None:
        raise RefusedByTomcat(400, "Required parameter 'program' is not present.")
    program, uids = asked.program, asked.uids(_ENDPOINT)
    scope = asked.scope(_ENDPOINT)
    if program is not None:
        listing.where("t.program = ?", program["id"])
    else:
        listing.where_in("t.program", readable_programs(asked.model, asked.rights))
    listing.where_in("t.stage", readable_stages(asked.model, asked.rights))
    if uids:
        listing.where_in("t.uid", uids)
    if parameters.listed("enrollments"):
        listing.where_in("t.enrollment", parameters.listed("enrollments"))
    _living(listing, parameters)
    reach = reach_of(scope, program)
    if reach is not None:
        place = "t.org_unit" if asked.dialect.by_own_org_unit else f"coalesce({_OWNER}, t.org_unit)"
        listing.where(f"{place} {AMONG}", as_json(reach))
    for name, sql in _EQUAL.items():
        if parameters.text(name) is not None:
            listing.where(sql, parameters.text(name))
    if parameters.text("followUp") is not None:
        listing.where(f"{_OF_ENROLLMENT.format('follow_up')} = ?", parameters.flag("followUp"))
    for name, column in (("occurred", "t.occurred_at"), ("scheduled", "t.scheduled_at")):
        before = parameters.time(f"{name}Before", upper=True)
        listing.between(column, parameters.time(f"{name}After"), before)
    listing.between("t.updated_at", *updated_bounds(parameters))
    listing.conditions += data_value_conditions(parameters.all("filter"))
    listing.order_by(parameters, _COLUMNS | STAMPS, asked.dialect.orders[_ENDPOINT])
    return listing


def _living(listing: Listing, parameters: Parameters) -> None:
    """Leave out deleted events, and those of a deleted enrollment (recordings: 399)."""
    if not parameters.flag("includeDeleted"):
        listing.where("t.deleted = 0")
        listing.where(f"coalesce({_OF_ENROLLMENT.format('deleted')}, 0) = 0")
