"""The listed rows: a page of any list as a table, held against what was asked for."""

from __future__ import annotations

import re
from typing import Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import Listing
from dhis2_api.fields import UID_KEYS


_INSTANT = pa.timestamp("ms", tz="UTC")

# One row for each tracked entity, enrollment or event that a list named. `scope` is the
# program whose list it was, or the type. `org_unit` is the row's own; of a person it is
# that of the registration. In the hour that a clock change repeats, a stamp without a zone
# is two instants: `updated_at` is the later one, `updated_at_earliest` the earlier.
# `enrolled` are people listed by type who have a living enrollment, in whatever program.
LISTED = pa.schema(
    [
        ("kind", pa.string()),
        ("scope", pa.string()),
        ("uid", pa.string()),
        ("tracked_entity", pa.string()),
        ("org_unit", pa.string()),
        ("updated_at", _INSTANT),
        ("updated_at_earliest", _INSTANT),
        ("deleted", pa.bool_()),
        ("enrolled", pa.bool_()),
    ]
)

_NAME = re.compile(r"(\w+)(?:\[[^\]]*\])?")
_TYPES = {
    "updatedAt": pa.timestamp("ms"),
    "deleted": pa.bool_(),
    "enrollments": pa.list_(pa.struct([("enrollment", pa.string()), ("deleted", pa.bool_())])),
}
_ALWAYS_THERE = {*UID_KEYS.values(), "orgUnit", "updatedAt", "deleted"}


def row_type(fields: str) -> pa.StructType:
    """Return what a row of a list looks like that is asked for these fields."""
    return pa.struct([(name, _TYPES.get(name, pa.string())) for name in _NAME.findall(fields)])


def listed_rows(rows: pa.StructArray, listing: Listing, zone: ZoneInfo, what: str) -> pa.Table:
    """Return a page with the columns of `LISTED`.

    Args:
        rows: The page, as `row_type`.
        listing: The list that was asked for.
        zone: The zone of the server's stamps.
        what: The request, for messages.

    Raises:
        UnexpectedAnswer: The server ignored the lower bound, or rows lack what was asked for.
    """
    _check_complete(rows, what)
    table = _table(rows, listing, zone)
    _check_bound(table, listing, what)
    return table


def _table(rows: pa.StructArray, listing: Listing, zone: ZoneInfo) -> pa.Table:
    stamps = _column(rows, "updatedAt")
    columns = [
        pa.repeat(listing.kind, len(rows)),
        pa.repeat(listing.program or listing.tracked_entity_type, len(rows)),
        _column(rows, UID_KEYS[listing.kind]),
        _column(rows, "trackedEntity"),
        _column(rows, "orgUnit"),
        _instants(stamps, zone, "latest"),
        _instants(stamps, zone, "earliest"),
        _column(rows, "deleted"),
        _enrolled(rows),
    ]
    return pa.Table.from_arrays(columns, schema=LISTED)


def _column(rows: pa.StructArray, name: str) -> pa.Array:
    asked = rows.type.get_field_index(name) >= 0
    return pc.struct_field(rows, name) if asked else pa.nulls(len(rows), pa.string())


def _instants(
    stamps: pa.TimestampArray, zone: ZoneInfo, which: Literal["earliest", "latest"]
) -> pa.TimestampArray:
    known = pc.assume_timezone(stamps, zone.key, ambiguous=which, nonexistent=which)
    return known.cast(_INSTANT)


def _enrolled(rows: pa.StructArray) -> pa.BooleanArray:
    if rows.type.get_field_index("enrollments") < 0:
        return pa.repeat(pa.scalar(value=False), len(rows))
    enrollments = pc.struct_field(rows, "enrollments")
    living = pc.invert(pc.struct_field(pc.list_flatten(enrollments), "deleted"))
    enrolled = pc.list_parent_indices(enrollments).filter(living)
    everybody = pa.array(range(len(rows)), enrolled.type)
    return pc.is_in(everybody, value_set=enrolled)


def _check_complete(rows: pa.StructArray, what: str) -> None:
    for name in _ALWAYS_THERE.intersection(field.name for field in rows.type):
        if _column(rows, name).null_count:
            raise UnexpectedAnswer(f"{what}: rows without `{name}`")


def _check_bound(table: pa.Table, listing: Listing, what: str) -> None:
    """Refuse rows too old: a server that doesn't know a parameter ignores it (measured)."""
    oldest, bound = pc.min(table["updated_at"]).as_py(), listing.updated_after
    # Bounds are sent in milliseconds.
    if oldest and bound and oldest < bound.replace(microsecond=bound.microsecond // 1000 * 1000):
        raise UnexpectedAnswer(f"{what}: the server ignored `updatedAfter`; rows are older")
