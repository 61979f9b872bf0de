"""The file values: which values of what was read name a file, and where the source keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.metadata.model import Model
from tracker_sync.staging.package import Package
from tracker_sync.staging.tables import Tables


#: The kind that a file is of in a ledger.
FILE = "FILE"

#: One row a person or event and a file that a value of it names; the names are the source's,
#: whatever the route maps.
FILES = pa.schema(
    [
        ("kind", pa.string()),  # of what has the value: TRACKED_ENTITY or EVENT
        ("uid", pa.string()),  # of the same
        ("tracked_entity", pa.string()),  # null for an event without registration
        ("file", pa.string()),
        ("named_by", pa.string()),  # the attribute or data element
        ("program", pa.string()),  # of an attribute that the person's type has not; else empty
        ("image", pa.bool_()),
    ]
)


_UID = "^[A-Za-z][A-Za-z0-9]{10}$"


@dataclass(frozen=True, slots=True)
class FileValue:
    """A value that names a file.

    Attributes:
        ref: The file, of the kind `FILE`.
        holder: The person or event that has the value.
        tracked_entity: The person that is or that belongs to; nobody for a lone event.
        named_by: The attribute or data element, as the source calls it.
        program: The program that gives the attribute, if the person's type doesn't.
        image: Whether it is an image.
    """

    ref: Ref
    holder: Ref
    tracked_entity: str | None
    named_by: str
    program: str
    image: bool


#: Values that name files, by what has them.
FileValues = Mapping[Ref, tuple[FileValue, ...]]


def file_values(tables: Tables, model: Model) -> pa.Table:
    """Return the values of staged tables that name a file, as rows of `FILES`.

    A file of a person is the person's, whichever enrollment shows it (tracker-api 6). Several
    may name one file: each needs it.

    Args:
        tables: As they were staged.
        model: The programs' metadata, in the source's names.
    """
    if not model.files:
        return FILES.empty_table()
    found = [*_of_people(tables, model), *_of_events(tables, model)]
    rows = {(row["kind"], row["uid"], row["file"]): row for row in found}
    return pa.Table.from_pylist([*rows.values()], FILES)


def values_in(bundles: Package) -> FileValues:
    """Return the values that name files, by what has them, of a package of bundles."""
    found: dict[Ref, tuple[FileValue, ...]] = {}
    for tables in bundles.row_groups("files"):
        for row in tables["files"].to_pylist():
            holder = Ref(row["kind"], row["uid"])
            value = FileValue(
                Ref(FILE, row["file"]),
                holder,
                row["tracked_entity"],
                row["named_by"],
                row["program"],
                row["image"],
            )
            found[holder] = (*found.get(holder, ()), value)
    return found


_Row = dict[str, str | bool | None]


def _named(table: pa.Table, key: str, model: Model) -> list[dict[str, str | None]]:
    files = pa.array(sorted(model.files), pa.string())
    there = pc.and_(
        pc.is_in(table[key], value_set=files), pc.match_substring_regex(table["value"], _UID)
    )
    rows: list[dict[str, str | None]] = table.filter(there).to_pylist()
    return rows


def _of_people(tables: Tables, model: Model) -> Iterator[_Row]:
    rows = _named(tables["attributes"], "attribute", model)
    if not rows:
        return
    enrollments = tables["enrollments"]
    uids, names = (enrollments[name].to_pylist() for name in ("enrollment", "program"))
    programs: dict[str | None, str] = dict(zip(uids, names, strict=True))
    # What the person's type has is read without a program, so it replaces what has one.
    for row in sorted(rows, key=lambda row: row["enrollment"] is None):
        yield {
            "kind": "TRACKED_ENTITY",
            "uid": row["trackedEntity"],
            "tracked_entity": row["trackedEntity"],
            "program": programs.get(row["enrollment"], ""),
            **_file(row["attribute"], row["value"], model),
        }


def _of_events(tables: Tables, model: Model) -> Iterator[_Row]:
    for row in _named(tables["data_values"], "dataElement", model):
        yield {
            "kind": "EVENT",
            "uid": row["event"],
            "tracked_entity": row["trackedEntity"],
            "program": "",
            **_file(row["dataElement"], row["value"], model),
        }


def _file(named_by: str | None, file: str | None, model: Model) -> _Row:
    image = model.files.get(named_by or "") == "IMAGE"
    return {"file": file, "named_by": named_by, "image": image}
