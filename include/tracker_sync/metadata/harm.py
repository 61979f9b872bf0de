"""The harm: which differences would have the destination refuse data, or lose some of it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.canonical import identity
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change


#: What data stands in, or has values of: where it is missing, data is refused.
OF_DATA = frozenset(
    {
        "categories",
        "categoryCombos",
        "categoryOptionCombos",
        "categoryOptions",
        "dataElements",
        "optionSets",
        "options",
        "organisationUnits",
        "programStages",
        "programs",
        "relationshipTypes",
        "trackedEntityAttributes",
        "trackedEntityTypes",
    }
)

#: Fields that refuse data where the destination has something in them, and something else.
_STRICTER: Mapping[str, frozenset[str]] = {
    "categoryOptions": frozenset({"endDate", "startDate"}),
    "dataElements": frozenset({"domainType", "fieldMask", "optionSet", "valueType"}),
    "optionSets": frozenset({"valueType"}),
    "options": frozenset({"code", "optionSet"}),
    "organisationUnits": frozenset({"closedDate", "openingDate"}),
    "programStages": frozenset({"program", "validationStrategy"}),
    "programs": frozenset(
        {
            "accessLevel",
            "categoryCombo",
            "completeEventsExpiryDays",
            "expiryDays",
            "expiryPeriodType",
            "onlyEnrollOnce",
            "programType",
            "trackedEntityType",
        }
    ),
    "trackedEntityAttributes": frozenset(
        {"fieldMask", "optionSet", "pattern", "unique", "valueType"}
    ),
}

#: Fields that let data in where the source has something in them and the destination has not.
_LOOSER: Mapping[str, frozenset[str]] = {
    "programStages": frozenset({"enableUserAssignment", "featureType", "repeatable"}),
    "programs": frozenset(
        {"featureType", "selectEnrollmentDatesInFuture", "selectIncidentDatesInFuture"}
    ),
    "trackedEntityAttributes": frozenset({"orgunitScope"}),
    "trackedEntityTypes": frozenset({"featureType"}),
}

#: Lists in which no member of ours may lack, and what of a row demands a value.
_MEMBERS: Mapping[str, Mapping[str, str]] = {
    "categoryOptions": {"organisationUnits": ""},
    "optionSets": {"options": ""},
    "programStages": {"programStageDataElements": "compulsory"},
    "programs": {
        "organisationUnits": "",
        "programStages": "",
        "programTrackedEntityAttributes": "mandatory",
    },
    "trackedEntityTypes": {"trackedEntityTypeAttributes": "mandatory"},
}

#: What an end of a relationship type says of the records it takes.
_ENDS = ("fromConstraint", "toConstraint")
_OF_AN_END = ("relationshipEntity", "trackedEntityType", "program", "programStage")

_NOTHING: Mapping[str, str] = {}


def harm_of(change: Change, theirs: Objects) -> tuple[str, ...]:
    """Return the fields of a change without which data is refused or lost.

    Args:
        change: A new or changed object.
        theirs: What the destination has.

    Returns:
        Its fields; `new` for an object that is not there; nothing where all data gets in.
    """
    if change.is_new:
        return ("new",) if change.plural in OF_DATA else ()
    there = dict(theirs[change.plural][change.uid])
    return tuple(name for name in change.fields if name in set(_harmful(change, there)))


def _harmful(change: Change, theirs: Fields) -> Iterator[str]:
    plural, ours = change.plural, change.payload
    stricter, looser = _STRICTER.get(plural, frozenset()), _LOOSER.get(plural, frozenset())
    for name in change.fields:
        if (name in stricter and theirs.get(name)) or (name in looser and _is_set(ours, name)):
            yield name
    for name, demanding in _MEMBERS.get(plural, _NOTHING).items():
        if _lacks(name, demanding, ours.get(name) or [], theirs.get(name) or []):
            yield name
    if plural == "relationshipTypes":
        yield from (name for name in _ENDS if _end(ours, name) != _end(theirs, name))


def _is_set(fields: Fields, name: str) -> bool:
    return fields.get(name) not in (None, False, "", "NONE")


def _lacks(name: str, demanding: str, ours: list[Json], theirs: list[Json]) -> bool:
    mine = {identity(name, row): row for row in ours}
    there = {identity(name, row): row for row in theirs}
    if not mine.keys() <= there.keys():
        return True
    # A row that only the destination demands a value of is more than the source asks for.
    return any(there[uid].get(demanding) and not mine[uid].get(demanding) for uid in mine)


def _end(fields: Fields, name: str) -> list[Json]:
    end = fields.get(name) or {}
    return [
        value.get("id") if isinstance(value, dict) else value
        for value in (end.get(part) for part in _OF_AN_END)
    ]
