"""Which people does /api/tracker/trackedEntities list?"""

from dhis2_sandbox.exports.asked import (
    STAMPS,
    Asked,
    as_json,
    enrolled,
    owner_checked_after_page,
    reach_of,
)
from dhis2_sandbox.exports.filters import attribute_conditions
from dhis2_sandbox.exports.listing import AMONG, Condition, Listing, updated_bounds
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.exports.people_with_events import with_an_event
from dhis2_sandbox.exports.scope import Scope
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.metadata.store import Members


_ENDPOINT = "trackedEntities"
_OF_A_PROGRAM = (
    *("enrollmentStatus", "programStatus", "followUp"),
    *("enrollmentEnrolledAfter", "enrollmentEnrolledBefore"),
    *("enrollmentOccurredAfter", "enrollmentOccurredBefore"),
)
_OWNER = "SELECT 1 FROM owner o WHERE o.entity = t.uid"
_VALUE = "(SELECT value FROM attribute v WHERE v.entity = t.uid AND v.attribute = '{}')"
_ENROLLED_AT = "(SELECT max(e.enrolled_at) FROM enrollment e WHERE e.entity = t.uid)"


def people(asked: Asked) -> Listing:
    """Return the listing of people.

    Raises:
        Refused: as recorded in 030, 131 to 133, 214 and 215; by type with includeDeleted.
    """
    parameters, listing = asked.parameters, Listing("entity")
    program, entity_type, uids = asked.program, asked.entity_type, asked.uids(_ENDPOINT)
    deleted = parameters.flag("includeDeleted")
    _check(asked, program, entity_type, uids)
    _check_program_parameters(parameters, program)
    scope = asked.scope(_ENDPOINT)
    if entity_type is not None:
        listing.where("t.type = ?", entity_type)
        if deleted and asked.dialect.deleted_by_type_fail:
            raise Refused(409, "Query failed because of a syntax error", "E7145")
    if uids:
        listing.where_in("t.uid", uids)
    if not deleted:
        listing.where("t.deleted = 0")
    _owned(listing, scope, program, checked=not owner_checked_after_page(asked, _ENDPOINT))
    if program is not None:
        listing.conditions.append(_enrolled(parameters, program["id"], deleted=deleted))
        listing.conditions += with_an_event(asked, program["id"])
    listing.between("t.updated_at", *updated_bounds(parameters))
    listing.conditions += attribute_conditions(parameters.all("filter"))
    if parameters.text("potentialDuplicate") is not None:
        listing.where("t.potential_duplicate = ?", parameters.flag("potentialDuplicate"))
    listing.order_by(parameters, _orders(asked), asked.dialect.orders[_ENDPOINT])
    if program is None and asked.dialect.joins_enrollments:
        listing.join = "LEFT JOIN enrollment joined ON joined.entity = t.uid"
    return listing


def _check(asked: Asked, program: Members | None, entity_type: str | None, uids: list[str]) -> None:
    if program is None and entity_type is None and not uids:
        message = "Either `program`, `trackedEntityType` or `trackedEntities` should be specified"
        raise asked.illegal(message)
    if program is not None and entity_type is not None:
        raise asked.illegal("`program` and `trackedEntityType` cannot be specified simultaneously")


def _check_program_parameters(parameters: Parameters, program: Members | None) -> None:
    named = [name for name in _OF_A_PROGRAM if parameters.text(name) is not None]
    if program is None and named:
        raise Refused(400, f"`program` must be defined when `{named[0]}` is specified", "E1003")


def _owned(listing: Listing, scope: Scope, program: Members | None, *, checked: bool) -> None:
    """Limit people to their owner's org unit, or to where they are registered if none owns them."""
    reach = reach_of(scope, program) if checked else scope.org_units
    if program is not None and reach is None:
        listing.where(f"EXISTS ({_OWNER} AND o.program = ?)", program["id"])
    elif program is not None:
        owner = f"EXISTS ({_OWNER} AND o.program = ? AND o.org_unit {AMONG})"
        listing.where(owner, program["id"], as_json(reach or ()))
    elif reach is not None:
        units = as_json(reach)
        registered = f"(NOT EXISTS ({_OWNER}) AND t.org_unit {AMONG})"
        listing.where(f"(EXISTS ({_OWNER} AND o.org_unit {AMONG}) OR {registered})", units, units)


def _enrolled(parameters: Parameters, program: str, *, deleted: bool) -> Condition:
    """Return that the person is enrolled in the program, in the way that is asked for."""
    inner = Listing("enrollment")
    inner.where("e.program = ?", program)
    if not deleted:
        inner.where("e.deleted = 0")
    status = parameters.text("enrollmentStatus") or parameters.text("programStatus")
    if status is not None:
        inner.where("e.status = ?", status)
    enrolled(inner, parameters, "e")
    where = " AND ".join(condition.sql for condition in inner.conditions)
    values = tuple(value for condition in inner.conditions for value in condition.values)
    query = f"EXISTS (SELECT 1 FROM enrollment e WHERE e.entity = t.uid AND {where})"  # noqa: S608 - our own names
    return Condition(query, values)


def _orders(asked: Asked) -> dict[str, str]:
    attributes = [item["id"] for item in asked.model.metadata.all("trackedEntityAttributes")]
    columns = {"trackedEntity": "t.uid", "inactive": "t.inactive", "enrolledAt": _ENROLLED_AT}
    return columns | STAMPS | {uid: _VALUE.format(uid) for uid in attributes}
