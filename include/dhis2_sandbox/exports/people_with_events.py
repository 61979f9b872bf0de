"""Which people have an event of a stage, a status and some days?"""

from dhis2_sandbox.exports.asked import Asked
from dhis2_sandbox.exports.listing import Condition, Listing


_DAYS = ("eventOccurredAfter", "eventOccurredBefore")
_ALL = ("eventStatus", *_DAYS)


def with_an_event(asked: Asked, program: str) -> list[Condition]:
    """Return that a person has such an event in the program, where the request asks for it.

    Status and both days come together or not at all (tracker-api 1.1).

    Raises:
        Refused: if one of them is alone.
    """
    parameters = asked.parameters
    named = [name for name in _ALL if parameters.text(name) is not None]
    stage = parameters.text("programStage")
    if not named and stage is None:
        return []
    if named and len(named) < len(_ALL):
        raise asked.illegal(f"`{'`, `'.join(_ALL)}` must be specified together")
    inner = Listing("event")
    inner.where("v.program = ? AND v.deleted = 0", program)
    inner.between("v.occurred_at", parameters.time(_DAYS[0]), parameters.time(_DAYS[1], upper=True))
    for column, name in (("status", "eventStatus"), ("stage", "programStage")):
        if parameters.text(name) is not None:
            inner.where(f"v.{column} = ?", parameters.text(name))
    where = " AND ".join(condition.sql for condition in inner.conditions)
    values = tuple(value for condition in inner.conditions for value in condition.values)
    query = f"EXISTS (SELECT 1 FROM event v WHERE v.entity = t.uid AND {where})"  # noqa: S608 - our own names
    return [Condition(query, values)]
