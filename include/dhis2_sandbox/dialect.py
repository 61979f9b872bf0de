"""In what may the DHIS2 versions that the sandbox plays differ?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


#: A parameter that is a list, and what stands between its members.
ListParameter: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Names, envelopes, codes and statuses of one version.

    Attributes:
        org_units: the org-unit parameters of each tracker listing, with their separators.
        org_unit_modes: the parameters that say how org units are meant.
        uid_lists: the parameters that list UIDs, of each tracker listing.
        paging_switches: the parameters that turn paging off, with the value that does.
        rows_member: the member that holds the rows of every listing; None for the listing's own
            name.
        pager_style: "links" has a pager with links, "flat" its members beside the rows, "both"
            both, no links.
        legacy_endpoints: the addresses before /api/tracker answer (recordings: 185 to 193).
        hidden: the members not shown, per kind of object or per list that holds parts.
        hidden_at_ends: what is not shown besides of the ends of a relationship.
        hidden_in_people: what is not shown besides in a listing of people.
        nobody_assigned: what an event shows that is assigned to nobody.
        single_events_enrolled: an event without a person shows the enrollment that DHIS2 keeps for
            all of them.
        program_required: enrollments and events are listed by program only.
        org_unit_required: people and enrollments are not listed without an org unit or mode.
        by_own_org_unit: enrollments and events are listed by their own org unit, not the owner's.
        owner_checked_after_page: listings whose rows are taken out of a page that was cut already.
        joins_enrollments: a page of people without program counts their enrollments.
        orders: the default order of each listing.
        tie: what follows in an order that was asked for; {direction} is that of its first column.
        shows_every_program: "listing" or "single": a superuser, and who asks for enrollments
            without a program, gets every program's data of a person, whatever program the request
            names.
        missing_person_status: the status of one person who is not there, asked for with a program.
        illegal_query: status and code of a query that makes no sense.
        forbidden_query: status and code of a scope that the account does not have.
        page_checked: a page below 1 or too long is refused, not mended.
        page_size_limit: the most people on a page, or without pages.
        enrollments_by_created_fail: ordering enrollments by createdAt is an SQL error.
        deleted_by_type_fail: includeDeleted in a listing by type is an SQL error.
        listed_enrollments_bare: a listing of enrollments shows none of their lists, whatever fields
            asks for.
        nested_ends_bare: a relationship inside of a person names its ends only.
        nested_deleted_links: includeDeleted shows deleted relationships inside of people as well.
        tracker_files: files are below /api/tracker.
        note_endpoint: a note can be added without its object.
        unreadable_status: the status of a body that cannot be bound.
        unholdable_status: the status of a text that PostgreSQL cannot hold.
        with_timings: reports have timings and positions, and no arguments.
        job_response_type: the responseType of a job's envelope.
        malformed_uid_refuses_request: a malformed UID refuses the request (400), not the object.
        completed_at_kept: completedAt is the client's, and refused beside an open status.
        no_entity_access_code: a person outside of what the account may change.
        no_enrollment_codes: an event of a program with people that names no enrollment.
        existing_event_codes: an event that is to be created and exists; E1039 is for stages that
            happen once.
        attribute_value_codes: an attribute value that does not fit its type; all but the last code
            are for some value types only.
        missing_file_codes: a file that is not there, as an attribute value and as a data value.
        signed_values: which data values say who wrote them: "all", "updates" or "none".
        author_is_stored_by: storedBy is the importing account, not what was sent.
        same_uid_twice: what becomes of the second object of a UID in one request.
        blocked_when_completed: a completed event of a stage that blocks entry must be re-opened.
        expired_period_for_all: F_EDIT_EXPIRED does not open an expired period.
        transfer_moves_stamp: an ownership transfer is an update of the person.
        transfer_checked: a transfer to the present owner or to nowhere is refused.
        programs_in_use_fixed: a program with enrollments cannot be patched: DHIS2's own error
            (recordings: 376).
        system_owner: who owns what a new server makes by itself.
        first_option: the number of an option set's first option.
        report_suffix: how the responseType of a report of metadata ends.
        unknown_constant_status: the status of a payload of metadata with a word that an enum
            does not know (metadata 2.6).
    """

    version: str
    org_units: Mapping[str, tuple[ListParameter, ...]]
    org_unit_modes: tuple[str, ...]
    uid_lists: Mapping[str, tuple[ListParameter, ...]]
    paging_switches: Mapping[str, str]
    rows_member: str | None
    pager_style: str
    legacy_endpoints: bool
    hidden: Mapping[str, frozenset[str]]
    hidden_at_ends: Mapping[str, frozenset[str]]
    hidden_in_people: Mapping[str, frozenset[str]]
    nobody_assigned: dict[str, Any] | None
    single_events_enrolled: bool
    program_required: bool
    org_unit_required: bool
    by_own_org_unit: bool
    owner_checked_after_page: frozenset[str]
    joins_enrollments: bool
    orders: Mapping[str, str]
    tie: str
    shows_every_program: frozenset[str]
    missing_person_status: int
    illegal_query: tuple[int, str | None]
    forbidden_query: tuple[int, str | None]
    page_checked: bool
    page_size_limit: int
    enrollments_by_created_fail: bool
    deleted_by_type_fail: bool
    listed_enrollments_bare: bool
    nested_ends_bare: bool
    nested_deleted_links: bool
    tracker_files: bool
    note_endpoint: bool
    unreadable_status: int
    unholdable_status: int
    with_timings: bool
    job_response_type: str | None
    malformed_uid_refuses_request: bool
    completed_at_kept: bool
    no_entity_access_code: str
    no_enrollment_codes: tuple[str, ...]
    existing_event_codes: tuple[str, ...]
    attribute_value_codes: tuple[str, ...]
    missing_file_codes: tuple[str, str]
    signed_values: str
    author_is_stored_by: bool
    same_uid_twice: str
    blocked_when_completed: bool
    expired_period_for_all: bool
    transfer_moves_stamp: bool
    transfer_checked: bool
    programs_in_use_fixed: bool
    system_owner: str | None
    first_option: int
    report_suffix: str
    unknown_constant_status: int

    @property
    def minor(self) -> int:
        """The number that tells the versions apart, e.g. 42 of 2.42.4."""
        return int(self.version.split(".")[1])
