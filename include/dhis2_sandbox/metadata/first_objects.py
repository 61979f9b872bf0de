"""What does an empty server hold?

The four default category objects with the UIDs that every DHIS2 gives them, and one superuser
(recordings: 002-me, 007-default-categoryCombos to 010-default-categoryOptions).
"""

from dhis2_sandbox.metadata.store import Members


ADMIN = "M5zQapPyTZI"
OPTION_COMBO = "HllvX50cXC0"
CATEGORY_OPTION = "xYerKDKCefk"
_COMBO = "bjDvmb4bfuf"
_CATEGORY = "GLevLNI9wkl"
_ROLE = "yrB6vc5Ip3r"
_AUTHORITIES = (
    "ALL",
    "F_EDIT_EXPIRED",
    "F_ENROLLMENT_CASCADE_DELETE",
    "F_METADATA_EXPORT",
    "F_METADATA_IMPORT",
    "F_TEI_CASCADE_DELETE",
    "F_TRACKED_ENTITY_INSTANCE_SEARCH_IN_ALL_ORGUNITS",
    "F_UNCOMPLETE_EVENT",
)

DEFAULT_UIDS = frozenset({OPTION_COMBO, CATEGORY_OPTION, _COMBO, _CATEGORY})


def first_objects(stamp: str) -> dict[str, list[Members]]:
    """Return the metadata of a new server, by class."""
    own = {
        "code": "default",
        "name": "default",
        "displayName": "default",
        "created": stamp,
        "lastUpdated": stamp,
        "translations": [],
    }
    shared = {"owner": "XXXXXSystem", "external": False, "users": {}, "userGroups": {}}
    readable = own | {"sharing": shared | {"public": "rw------"}}
    dimension = {"dataDimensionType": "DISAGGREGATION"}
    return {
        "categoryOptions": [
            {"id": CATEGORY_OPTION, "shortName": "default", "organisationUnits": []}
            | own
            | {"sharing": shared | {"public": "rwrw----"}, "attributeValues": []}
        ],
        "categories": [
            {"id": _CATEGORY, "shortName": "default", "categoryOptions": [{"id": CATEGORY_OPTION}]}
            | readable
            | dimension
            | {"dataDimension": False, "attributeValues": []}
        ],
        "categoryCombos": [
            {"id": _COMBO, "categories": [{"id": _CATEGORY}], "skipTotal": False}
            | readable
            | dimension
        ],
        "categoryOptionCombos": [
            {"id": OPTION_COMBO, "categoryCombo": {"id": _COMBO}, "ignoreApproval": False}
            | own
            | {"categoryOptions": [{"id": CATEGORY_OPTION}], "attributeValues": []}
        ],
        "userRoles": [
            own
            | {"id": _ROLE, "code": "Superuser", "name": "Superuser", "displayName": "Superuser"}
            | {"authorities": list(_AUTHORITIES)}
        ],
        "users": [
            own
            | {"id": ADMIN, "code": "admin", "name": "admin admin", "displayName": "admin admin"}
            | {"username": "admin", "firstName": "admin", "surname": "admin"}
            | {"userRoles": [{"id": _ROLE}], "organisationUnits": [], "userGroups": []}
            | {"teiSearchOrganisationUnits": [], "dataViewOrganisationUnits": []}
        ],
    }
