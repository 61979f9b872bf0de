"""Which relationships does /api/tracker/relationships list?"""

from dhis2_sandbox.access.rights import DATA_READ
from dhis2_sandbox.exports.asked import Asked
from dhis2_sandbox.exports.listing import Listing
from dhis2_sandbox.http.answers import Refused


_ENDS = ("trackedEntity", "enrollment", "event")
_COLUMNS = {"createdAt": "t.created_at", "createdAtClient": "t.created_at_client"}


def relationships(asked: Asked) -> Listing:
    """Return the listing of relationships of one object; deleted ones are not marked (measured).

    Raises:
        Refused: 400 unless exactly one end is named.
    """
    parameters, listing = asked.parameters, Listing("relationship")
    named = [uid for uid in (parameters.text(end) for end in _ENDS) if uid is not None]
    if len(named) != 1:
        message = "Exactly one of trackedEntity, enrollment or event must be specified"
        raise Refused(400, message, "E1003")
    listing.where("(t.from_uid = ? OR t.to_uid = ?)", named[0], named[0])
    if not parameters.flag("includeDeleted"):
        listing.where("t.deleted = 0")
    kinds = asked.model.metadata.all("relationshipTypes")
    listing.where_in("t.type", [kind["id"] for kind in kinds if asked.rights.may(DATA_READ, kind)])
    listing.order_by(parameters, _COLUMNS, asked.dialect.orders["relationships"])
    return listing
