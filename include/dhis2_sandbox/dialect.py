"""What differs between the DHIS2 versions that the sandbox plays?

One row of this table a version; everything else is common. A new version is a new row.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Names, envelopes, codes and statuses of one version.

    Attributes:
        org_units: the org-unit parameter of each tracker listing.
        uid_lists: the parameter that lists UIDs, of each tracker listing.
        malformed_uid_refuses_request: a malformed UID refuses the request (400), not the object.
        stray_completed_at_refused: completedAt beside an open status is E1051 or E1052.
        no_data_write_code: an enrollment by an account that may not write the program.
        enrollments_by_created_fail: ordering enrollments by createdAt is an SQL error.
        deleted_by_type_fail: includeDeleted in a listing by type is an SQL error.
        expired_period_for_all: F_EDIT_EXPIRED does not open an expired period.
        transfer_moves_stamp: an ownership transfer is an update of the person.
        page_size_limit: the largest page of tracked entities.
    """

    version: str
    org_units: Mapping[str, str]
    org_unit_mode: str
    uid_lists: Mapping[str, str]
    separator: str
    malformed_uid_refuses_request: bool
    stray_completed_at_refused: bool
    no_data_write_code: str
    enrollments_by_created_fail: bool
    deleted_by_type_fail: bool
    expired_period_for_all: bool
    transfer_moves_stamp: bool
    page_size_limit: int


DIALECTS: Mapping[str, Dialect] = {
    "2.42.4": Dialect(
        version="2.42.4",
        org_units={"trackedEntities": "orgUnits", "enrollments": "orgUnits", "events": "orgUnit"},
        org_unit_mode="orgUnitMode",
        uid_lists={
            "trackedEntities": "trackedEntities",
            "enrollments": "enrollments",
            "events": "events",
        },
        separator=",",
        malformed_uid_refuses_request=True,
        stray_completed_at_refused=True,
        no_data_write_code="E1091",
        enrollments_by_created_fail=True,
        deleted_by_type_fail=True,
        expired_period_for_all=True,
        transfer_moves_stamp=False,
        page_size_limit=50_000,
    ),
}
DEFAULT_VERSION = "2.42.4"
