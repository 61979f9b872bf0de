"""The probe: does the source give keys that nobody here ever heard of?

Explicit fields are up to eight times smaller than all of them (measured: Reading), and
say nothing about a key that a newer version adds. So one object of each slice is read
with all its fields; only the names of keys are looked at, never what they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from dhis2_api.client import Dhis2Client
from dhis2_api.fields import UID_KEYS
from dhis2_api.json_pages import parse_rows
from tracker_sync.reading.people import Wanted


_BY_SERVER = "the server sets it itself; an import can't"
_FROM_MODEL = "the metadata says it"
_FROM_ABOVE = "the object above says it"
_APART = "relationships are read apart"
_ENROLLMENTS = "an enrollment's, shown again at its events"

# Keys that are known and left out, by the list they stand in, with the reason.
LEFT_OUT: Mapping[str, str] = {
    **{
        f"{kind}.{key}": _BY_SERVER
        for kind in ("trackedEntities", "enrollments", "events", "dataValues")
        for key in ("createdBy", "updatedBy")
    },
    **{f"{kind}.storedBy": _BY_SERVER for kind in ("attributes", "dataValues")},
    **{f"{kind}.createdAt": _BY_SERVER for kind in ("attributes", "dataValues")},
    **{f"{kind}.updatedAt": _BY_SERVER for kind in ("attributes", "dataValues")},
    **{f"{kind}.completedBy": _BY_SERVER for kind in ("enrollments", "events")},
    **{f"{kind}.orgUnitName": _FROM_MODEL for kind in ("enrollments", "events")},
    **{f"attributes.{key}": _FROM_MODEL for key in ("code", "displayName", "valueType")},
    **{f"{kind}.relationships": _APART for kind in ("trackedEntities", "enrollments", "events")},
    "notes.storedBy": "the same as `createdBy`",
    "programOwners.trackedEntity": _FROM_ABOVE,
    "enrollments.trackedEntity": _FROM_ABOVE,
    "events.trackedEntity": _FROM_ABOVE,
    "events.enrollment": f"{_FROM_ABOVE}; without registration it is the server's placeholder",
    "events.attributeCategoryOptions": "it follows from `attributeOptionCombo`",
    "events.followUp": _ENROLLMENTS,
    "events.followup": _ENROLLMENTS,
}


def unknown_keys(client: Dhis2Client, wanted: Wanted, uid: str) -> list[str]:
    """Read one object with all its fields, and return the keys that are not known.

    Returns:
        Paths such as `trackedEntities[].enrollments[].newKey`, sorted, each once.

    Raises:
        UnexpectedAnswer: The answer has no such rows.
    """
    asked = replace(wanted, fields="*", living=True).of(client, [uid])
    body = client.get_bytes(asked.path, asked.params)
    what = f"{client.name}: GET {asked.path}"
    rows = parse_rows(body, asked.envelope, UID_KEYS[wanted.kind], what).rows
    return unknown_in(rows, wanted)


def unknown_in(rows: list[dict[str, Any]], wanted: Wanted) -> list[str]:
    """Return the paths of keys in *rows* that the schema has not and `LEFT_OUT` neither."""
    return sorted(set(_unknown(rows, wanted.row, wanted.kind, f"{wanted.kind}[]")))


def _unknown(rows: list[Any], row: pa.StructType, kind: str, path: str) -> Iterator[str]:
    for key, value in ((key, value) for item in rows for key, value in item.items()):
        index = row.get_field_index(key)
        if index >= 0:
            yield from _below(value, row.field(index).type, key, f"{path}.{key}")
        elif f"{kind}.{key}" not in LEFT_OUT:
            yield f"{path}.{key}"


def _below(value: Any, type_: pa.DataType, key: str, path: str) -> Iterator[str]:
    """Look below a known key, if it holds a list of objects; a user is an object of its own."""
    if pa.types.is_list(type_) and isinstance(value, list):
        rows = [item for item in value if isinstance(item, dict)]
        yield from _unknown(rows, type_.value_type, key, f"{path}[]")
