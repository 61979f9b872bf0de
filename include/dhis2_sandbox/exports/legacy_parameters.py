"""What are the parameters of the addresses before /api/tracker called today?"""

from collections.abc import Mapping, Sequence

from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.exports.legacy_views import LEGACY_ROWS


#: By legacy name (tracker-api 8.3). Names that are alike are not listed.
_NAMES: Mapping[str, str] = {
    "lastUpdatedStartDate": "updatedAfter",
    "lastUpdatedEndDate": "updatedBefore",
    "lastUpdatedDuration": "updatedWithin",
    "lastUpdated": "updatedAfter",
    "programEnrollmentStartDate": "enrollmentEnrolledAfter",
    "programEnrollmentEndDate": "enrollmentEnrolledBefore",
    "programStartDate": "enrollmentEnrolledAfter",
    "programEndDate": "enrollmentEnrolledBefore",
    "programIncidentStartDate": "enrollmentOccurredAfter",
    "programIncidentEndDate": "enrollmentOccurredBefore",
    "startDate": "occurredAfter",
    "endDate": "occurredBefore",
    "dueDateStart": "scheduledAfter",
    "dueDateEnd": "scheduledBefore",
    "programInstances": "enrollments",
    "attribute": "filter",
}
#: Names of lists of UIDs, by what they list.
_UIDS = {"trackedEntityInstance": "trackedEntities", "enrollment": "enrollments", "event": "events"}
#: What a listing shows is chosen after it was given its legacy names.
_KEPT_BACK = frozenset({"fields"})


def modern_pairs(
    name: str, pairs: Sequence[tuple[str, str]], dialect: Dialect
) -> list[tuple[str, str]]:
    """Return the parameters under the names that this version's tracker listings know."""
    endpoint = LEGACY_ROWS[name]
    units = dialect.org_units[endpoint][0]
    names = {**_NAMES, "ouMode": dialect.org_unit_modes[0]}
    found = []
    for key, value in pairs:
        if key in {"ou", "orgUnit"}:
            found.append((units[0], value.replace(";", units[1])))
        elif key in _UIDS and _UIDS[key] == endpoint:
            uids = dialect.uid_lists[endpoint][0]
            found.append((uids[0], value.replace(";", uids[1])))
        elif key == "trackedEntityInstance":
            found.append(("trackedEntity", value))
        elif key not in _KEPT_BACK:
            found.append((names.get(key, key), value))
    return [*found, ("fields", _FIELDS[name])]


#: What is read of an object, so that everything the legacy view may show is there.
_FIELDS = {
    "trackedEntityInstances": "*",
    "enrollments": "*,!events,!relationships,!attributes,!notes",
    "events": "*",
}
