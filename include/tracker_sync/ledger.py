"""The ledger: what became of every object of a slice or a phase, as one Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import publish
from tracker_sync.staging.sealed import check_seal, write_sealed


# One row an object that was read, or that should have been. No value of a patient.
LEDGER = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("tracked_entity", pa.string()),
        ("lone_event", pa.string()),
        ("outcome", pa.string()),
        ("action", pa.string()),
        ("code", pa.string()),
        ("known", pa.bool_()),
        ("sent", pa.bool_()),
        ("source_updated_at", pa.timestamp("ms")),
        ("content_hash", pa.string()),
        ("destination_updated_at", pa.timestamp("ms")),
        ("destination_uid", pa.string()),
        ("batch", pa.int32()),
        ("attempt", pa.int32()),
        ("at", pa.timestamp("us", "UTC")),
    ]
)

# Column -> the field of a line that stands in it, where that is called otherwise.
_FIELDS = {"source_updated_at": "updated_at"}


def begin_ledger(path: Path) -> int:
    """Void the ledger of an earlier attempt, and return the number of this one, from 1 on."""
    path.unlink(missing_ok=True)
    attempt = attempt_of(path) + 1 if _counter(path).is_file() else 1
    publish(_counter(path), str(attempt).encode())
    return attempt


def attempt_of(path: Path) -> int:
    """Return the number of the attempt that is to write a ledger."""
    return int(_counter(path).read_bytes()) if _counter(path).is_file() else 1


def _counter(path: Path) -> Path:
    return path.with_name("attempts")


def write_ledger(path: Path, entries: Iterable[Entry], attempt: int = 1) -> None:
    """Write the ledger of a slice or a phase in one step.

    Args:
        path: Where to.
        entries: Its lines.
        attempt: The number that `begin_ledger` gave.
    """
    write_lines(path, as_table(entries), attempt)


def write_lines(path: Path, lines: pa.Table, attempt: int) -> None:
    """Write rows of `LEDGER` as `write_ledger` does lines."""
    lines = _with(lines, "attempt", attempt)
    at = pc.fill_null(lines["at"], pa.scalar(datetime.now(UTC), LEDGER.field("at").type))
    write_sealed(path, lines.set_column(LEDGER.get_field_index("at"), LEDGER.field("at"), at))


def read_lines(path: Path, *only: str) -> pa.Table:
    """Return the lines of a ledger as a table of `LEDGER`, or *only* some of its columns.

    Raises:
        BrokenSeal: It is not what was written.
    """
    check_seal(path, "clear the task that writes it: the slice's `load`, or the phase")
    columns = [*only] or None
    return pq.read_table(path, columns=columns, page_checksum_verification=True)


def read_ledger(path: Path) -> Sequence[Entry]:
    """Return the lines of a ledger.

    Raises:
        BrokenSeal: It is not what was written.
    """
    return as_entries(read_lines(path))


def as_entries(lines: pa.Table) -> Sequence[Entry]:
    """Return rows of `LEDGER` as the lines they were made of."""
    return [
        Entry(
            Ref(row["kind"], row["uid"]),
            row["tracked_entity"],
            Outcome(row["outcome"]),
            row["action"],
            row["code"],
            row["known"],
            row["sent"],
            row["source_updated_at"],
            row["content_hash"],
            row["destination_updated_at"],
            row["destination_uid"],
            row["lone_event"],
            row["batch"],
            row["at"],
        )
        for row in lines.to_pylist()
    ]


def as_table(entries: Iterable[Entry], attempt: int = 1) -> pa.Table:
    """Return ledger lines as a table of `LEDGER`."""
    lines = [*entries]
    cells = _turned(lines, Entry._fields)
    cells |= _turned(cells["ref"], Ref._fields)
    cells["at"] = _instants(cells["at"])
    cells["attempt"] = _alike(LEDGER.field("attempt"), attempt, len(lines))
    columns = [pa.array(cells[_FIELDS.get(field.name, field.name)], field.type) for field in LEDGER]
    return pa.Table.from_arrays(columns, schema=LEDGER)


def _instants(times: Sequence[datetime | None]) -> pa.Array:
    """Return times of which a batch has one: Arrow would ask the zone of each line anew."""
    type_ = LEDGER.field("at").type
    few = {time: place for place, time in enumerate(dict.fromkeys(times))}
    places = pa.array([few[time] for time in times], pa.int32())
    return pa.array([*few], type_).take(places)


def _turned(rows: Sequence[tuple[Any, ...]], names: Sequence[str]) -> dict[str, Any]:
    """Return rows as columns."""
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return dict(zip(names, columns, strict=True))


def stored_lines(rows: pa.Table, people: pa.StringArray, stamps: pa.ChunkedArray) -> pa.Table:
    """Return the lines of objects that nobody had met, and that are stored now.

    Args:
        rows: The objects, rows of `bundles.OBJECT`.
        people: The person each belongs to.
        stamps: The destination's stamp of each.
    """
    told = {
        **{name: rows[name] for name in ("kind", "uid", "content_hash")},
        "tracked_entity": people,
        "source_updated_at": rows["updated_at"],
        "destination_updated_at": stamps,
    }
    same = {
        "outcome": str(Outcome.STORED),
        "action": "created",
        "known": False,
        "sent": True,
        "attempt": 1,
    }
    columns = [
        told[field.name] if field.name in told else _alike(field, same.get(field.name), len(rows))
        for field in LEDGER
    ]
    return pa.Table.from_arrays(columns, schema=LEDGER)


def of_batch(lines: pa.Table, batch: int) -> pa.Table:
    """Return rows of `LEDGER` of a slice's batch, with its number and the time."""
    return _with(_with(lines, "batch", batch), "at", datetime.now(UTC))


def _with(lines: pa.Table, name: str, value: Any) -> pa.Table:
    """Return rows of `LEDGER` of which all say the same in one column."""
    place = LEDGER.get_field_index(name)
    field = LEDGER.field(place)
    return lines.set_column(place, field, _alike(field, value, len(lines)))


def _alike(field: pa.Field, value: Any, count: int) -> pa.Array:
    """Return a column that says the same of all."""
    return pa.repeat(pa.scalar(value, field.type), count)
