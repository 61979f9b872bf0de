"""The dialects: how the versions of DHIS2 differ on the wire, as one table.

A row of the table says what its version has otherwise than the next newer one.
An unknown parameter is ignored by every version, and the rows that come are
wrong ones (measured: Reading), so no name is spelled anywhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from dhis2_api.errors import UnsupportedVersion


#: A server names the next page, or flags the last one (legacy), or only counts them.
LastPage = Literal["named", "flagged", "counted"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one minor version of DHIS2 calls things (tracker-api 1.1, 1.4, 7; measured).

    Attributes:
        version: The minor version, e.g. `2.42`.
        rows: The key of a list's rows; empty where the list's own name is the key.
        pager: The key of the pager; empty where it lies flat beside the rows.
        last_page: How the end of a list is known: a server names the next page, or its
            rows are counted, since pages come short before the end (tracker-api 2.4).
        separator: What stands between the UIDs of one parameter.
        org_units: The org units of tracked entities and of enrollments; events take one,
            `orgUnit`, everywhere.
        org_unit_mode: How far below the org units the rows reach.
        tracked_entities: A list of tracked entities by UID.
        enrollments: A list of enrollments by UID.
        events: A list of events by UID.
        enrollment_status: The enrollment's status, asked of tracked entities and of events.
        own_status: The same, asked of enrollments.
        needs_program: Whether enrollments and events are read only of a program (measured).
        enrollment_order: The `order` an enrollment listing is paged by; empty for the
            server's own, where `createdAt:asc` is an SQL error (measured: Listings that fail).
        deleted_by_type: Whether `includeDeleted` by tracked entity type works; else it is an
            SQL error (measured).
        options_separator: What stands between an event's `attributeCategoryOptions`.
        owned: The tracked entity of an ownership transfer.
        owner: The org unit of an ownership transfer.
        operators: How often one attribute may be filtered (tracker-api 9).
        notes: Whether a note can be added without sending its object (tracker-api 2.2).
        legacy: Whether `/api/trackedEntityInstances` and its like exist (measured).
        enrolled_options: Whether an enrollment has category options (tracker-api 3.2).
        tracker_files: Whether files of events come from `/api/tracker` (recordings: 205).
    """

    version: str
    rows: str
    pager: str
    last_page: LastPage
    separator: str
    org_units: str
    org_unit_mode: str
    tracked_entities: str
    enrollments: str
    events: str
    enrollment_status: str
    own_status: str
    needs_program: bool
    enrollment_order: str
    deleted_by_type: bool
    options_separator: str
    owned: str
    owner: str
    operators: int
    notes: bool
    legacy: bool
    enrolled_options: bool
    tracker_files: bool


_V43 = Dialect(
    version="2.43",
    rows="",
    pager="pager",
    last_page="named",
    separator=",",
    org_units="orgUnits",
    org_unit_mode="orgUnitMode",
    tracked_entities="trackedEntities",
    enrollments="enrollments",
    events="events",
    enrollment_status="enrollmentStatus",
    own_status="status",
    needs_program=True,
    enrollment_order="createdAt:asc",
    deleted_by_type=True,
    options_separator=",",
    owned="trackedEntity",
    owner="orgUnit",
    operators=3,
    notes=True,
    legacy=False,
    enrolled_options=True,
    tracker_files=True,
)
_V42 = replace(
    _V43,
    version="2.42",
    needs_program=False,
    enrollment_order="",
    deleted_by_type=False,
    enrolled_options=False,
)
_V41 = replace(
    _V42,
    version="2.41",
    last_page="counted",
    enrollment_status="programStatus",
    own_status="programStatus",
    deleted_by_type=True,
    owner="ou",
    operators=2,
    notes=False,
    legacy=True,
)
_V40 = replace(
    _V41,
    version="2.40",
    rows="instances",
    pager="",
    separator=";",
    org_units="orgUnit",
    org_unit_mode="ouMode",
    tracked_entities="trackedEntity",
    enrollments="enrollment",
    events="event",
    enrollment_order="createdAt:asc",
    deleted_by_type=False,
    options_separator=";",
    owned="trackedEntityInstance",
    tracker_files=False,
)

DIALECTS = {dialect.version: dialect for dialect in (_V40, _V41, _V42, _V43)}


def dialect_of(version: str) -> Dialect:
    """Return the dialect of a server's *version*, e.g. `2.42.4`.

    Raises:
        UnsupportedVersion: This release was not proven on it.
    """
    found = re.match(r"2\.\d+", version)
    dialect = DIALECTS.get(found.group()) if found else None
    if dialect is None:
        raise UnsupportedVersion(
            f"DHIS2 {version[:20]} is not supported by this release, which speaks "
            f"{', '.join(sorted(DIALECTS))}: use such a server, or another release"
        )
    return dialect
