"""What differs between the DHIS2 versions that the sandbox plays?

One row of this table a version, each as what sets it apart from its neighbour; everything else
is common. A new version is a new row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Dialect:
    """Names, envelopes, codes and statuses of one version.

    Attributes:
        org_units: the org-unit parameter of each tracker listing.
        uid_lists: the parameter that lists UIDs, of each tracker listing.
        program_required: enrollments and events are listed by program only.
        hidden: the members not shown, per kind of object or per list that holds parts.
        hidden_at_ends: what is not shown besides of the ends of a relationship.
        malformed_uid_refuses_request: a malformed UID refuses the request (400), not the object.
        stray_completed_at_refused: completedAt beside an open status is E1051 or E1052.
        no_data_write_code: an enrollment by an account that may not write the program.
        no_entity_access_code: a person outside of what the account may change.
        no_enrollment_codes: an event of a program with people that names no enrollment.
        attribute_value_codes: an attribute value that does not fit its type; the first of two
            codes is for some value types only.
        missing_file_codes: a file that is not there, as an attribute value and as a data value.
        author_is_stored_by: storedBy is the importing account, not what was sent.
        same_uid_twice: what becomes of the second object of a UID in one request.
        blocked_when_completed: a completed event of a stage that blocks entry must be re-opened.
        enrollments_by_created_fail: ordering enrollments by createdAt is an SQL error.
        deleted_by_type_fail: includeDeleted in a listing by type is an SQL error.
        expired_period_for_all: F_EDIT_EXPIRED does not open an expired period.
        transfer_moves_stamp: an ownership transfer is an update of the person.
        transfer_checked: a transfer to the present owner or to nowhere is refused.
        page_size_limit: the largest page of tracked entities.
    """

    version: str
    org_units: Mapping[str, str]
    org_unit_mode: str
    uid_lists: Mapping[str, str]
    separator: str
    program_required: bool
    hidden: Mapping[str, frozenset[str]]
    hidden_at_ends: Mapping[str, frozenset[str]]
    malformed_uid_refuses_request: bool
    stray_completed_at_refused: bool
    no_data_write_code: str
    no_entity_access_code: str
    no_enrollment_codes: tuple[str, ...]
    attribute_value_codes: tuple[str, ...]
    missing_file_codes: tuple[str, str]
    author_is_stored_by: bool
    same_uid_twice: str
    blocked_when_completed: bool
    enrollments_by_created_fail: bool
    deleted_by_type_fail: bool
    expired_period_for_all: bool
    transfer_moves_stamp: bool
    transfer_checked: bool
    page_size_limit: int


_2_42_4 = Dialect(
    version="2.42.4",
    org_units={"trackedEntities": "orgUnits", "enrollments": "orgUnits", "events": "orgUnit"},
    org_unit_mode="orgUnitMode",
    uid_lists={
        "trackedEntities": "trackedEntities",
        "enrollments": "enrollments",
        "events": "events",
    },
    separator=",",
    program_required=False,
    hidden={
        "attributes": frozenset({"storedBy"}),
        "notes": frozenset({"storedBy"}),
        "ENROLLMENT": frozenset({"attributeOptionCombo"}),
    },
    hidden_at_ends={
        "TRACKED_ENTITY": frozenset({"geometry"}),
        "ENROLLMENT": frozenset({"completedBy"}),
        "EVENT": frozenset({"trackedEntity"}),
        "dataValues": frozenset({"storedBy"}),
    },
    malformed_uid_refuses_request=True,
    stray_completed_at_refused=True,
    no_data_write_code="E1091",
    no_entity_access_code="E1003",
    no_enrollment_codes=("E1033",),
    attribute_value_codes=("E1007", "E1085"),
    missing_file_codes=("E1084", "E1084"),
    author_is_stored_by=False,
    same_uid_twice="created",
    blocked_when_completed=False,
    enrollments_by_created_fail=True,
    deleted_by_type_fail=True,
    expired_period_for_all=True,
    transfer_moves_stamp=False,
    transfer_checked=False,
    page_size_limit=50_000,
)
_2_43_1 = replace(
    _2_42_4,
    version="2.43.1",
    program_required=True,
    hidden={"sharing": frozenset({"external"})},
    hidden_at_ends={
        **_2_42_4.hidden_at_ends,
        "ENROLLMENT": frozenset({"completedBy", "attributeOptionCombo"}),
        "attributes": frozenset({"storedBy"}),
    },
    no_entity_access_code="E1324",
    no_enrollment_codes=("E1123",),
    attribute_value_codes=("E1007",),
    missing_file_codes=("E1007", "E1302"),
    author_is_stored_by=True,
    same_uid_twice="refused",
    blocked_when_completed=True,
    enrollments_by_created_fail=False,
    deleted_by_type_fail=False,
    expired_period_for_all=False,
    transfer_moves_stamp=True,
    transfer_checked=True,
)
DIALECTS: Mapping[str, Dialect] = {row.version: row for row in (_2_42_4, _2_43_1)}
DEFAULT_VERSION = "2.42.4"
