"""The reasons: why a mapping lets an object not be copied, as codes of ours."""

from __future__ import annotations

from collections.abc import Mapping

from tracker_sync.mapping.terms import Table
from tracker_sync.outcome import Outcome


#: The mapping says `drop` for what it is of: a program stage, a relationship type.
DROPPED = "SYNC_DROPPED"

#: Two values of one object become values of one attribute or data element.
MAPPED_TWICE = "SYNC_MAPPED_TWICE"

#: What stands in no table, though the route closes that one.
UNMAPPED: Mapping[Table, str] = {
    "org_units": "SYNC_UNMAPPED_ORG_UNIT",
    "programs": "SYNC_UNMAPPED_PROGRAM",
    "program_stages": "SYNC_UNMAPPED_PROGRAM_STAGE",
    "tracked_entity_types": "SYNC_UNMAPPED_TRACKED_ENTITY_TYPE",
    "attributes": "SYNC_UNMAPPED_ATTRIBUTE",
    "data_elements": "SYNC_UNMAPPED_DATA_ELEMENT",
    "option_combos": "SYNC_UNMAPPED_OPTION_COMBO",
    "relationship_types": "SYNC_UNMAPPED_RELATIONSHIP_TYPE",
    "users": "SYNC_UNMAPPED_USER",
    "options": "SYNC_UNMAPPED_OPTION",
}


def outcome_of(code: str) -> Outcome:
    """Return what an object comes to that was not sent for a reason of ours: a policy holds it."""
    return Outcome.HELD if code == DROPPED else Outcome.REFUSED
