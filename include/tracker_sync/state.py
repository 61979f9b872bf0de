"""The state: what earlier runs of a route know, a cache of the truth.

Append-only Parquet, one file a run and slice, folded on read: of two lines about
one object the later counts. Lost, it is rebuilt by comparing the two servers; what
is lost with it is only which refusals were met before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.importer import Ref
from tracker_sync.ledger import LEDGER, as_table
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.plan import Known
from tracker_sync.publish import publishing


STATE = pa.schema(
    [
        *LEDGER,
        ("model_hash", pa.string()),
        ("run", pa.string()),
        ("read_at", pa.timestamp("us", "UTC")),
        ("at", pa.timestamp("us", "UTC")),
    ]
)
_REMEMBERED = {Outcome.STORED, Outcome.UNCHANGED, Outcome.REFUSED, Outcome.HELD}


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the state.

    Attributes:
        folder: The state of a route between two servers.
        run: The folder name of the run that writes it.
        slice: The slice.
        read_at: When the slice's people were read, by our clock.
    """

    folder: Path
    run: str
    slice: str
    read_at: datetime


def remember(page: Page, entries: Iterable[Entry], model_hash: str) -> None:
    """Add what a slice of a run came to; the same slice again replaces itself.

    Args:
        page: Where to.
        entries: Its ledger.
        model_hash: The programs' metadata it was loaded under.
    """
    kept = as_table(entry for entry in entries if entry.outcome in _REMEMBERED)
    rows = kept.num_rows
    table = pa.Table.from_arrays(
        [
            *kept.columns,
            pa.repeat(model_hash, rows),
            pa.repeat(page.run, rows),
            pa.repeat(pa.scalar(page.read_at, STATE.field("read_at").type), rows),
            pa.repeat(pa.scalar(datetime.now(UTC), STATE.field("at").type), rows),
        ],
        schema=STATE,
    )
    with publishing(page.folder / f"{page.run}--{page.slice}.parquet") as draft:
        pq.write_table(table, draft, compression="zstd", write_page_checksum=True)


def recall(
    folder: Path, people: Collection[str], but_run: str, events: Collection[str] = ()
) -> dict[Ref, Known]:
    """Return what is known of the objects of *people*, except from the run *but_run*.

    A run does not know its own refusals: a task that is cleared meets them anew.

    Args:
        folder: The state.
        people: Tracked entities.
        but_run: The folder name of the run that asks.
        events: Events without registration, which belong to nobody.
    """
    of_people = pc.is_in(pc.field("tracked_entity"), pa.array([*people], pa.string()))
    of_nobody = pc.is_in(pc.field("uid"), pa.array([*events], pa.string()))
    columns = ["kind", "uid", "read_at", "content_hash", "model_hash", "outcome", "code"]
    lines = _lines(folder, (of_people | of_nobody) & (pc.field("run") != but_run), columns)
    return _folded(lines.to_pylist())


def open_refusals(folder: Path) -> frozenset[Ref]:
    """Return what every run must read again, because its last known outcome is a refusal.

    Nothing at the source may ever stamp these again. A refused object of a person gives
    the person (`TRACKED_ENTITY`); an event without registration gives itself (`EVENT`).
    """
    last = _last(folder, None)
    refused = last.filter(pc.equal(last["outcome"], str(Outcome.REFUSED)))
    whose, what = refused["tracked_entity"].to_pylist(), refused["uid"].to_pylist()
    pairs = zip(whose, what, strict=True)
    return frozenset(
        Ref("TRACKED_ENTITY", person) if person else Ref("EVENT", uid) for person, uid in pairs
    )


def people_with_open_refusals(folder: Path) -> set[str]:
    """Return the people of `open_refusals`."""
    return {ref.uid for ref in open_refusals(folder) if ref.kind == "TRACKED_ENTITY"}


def followed(folder: Path) -> frozenset[Ref]:
    """Return every object that was ever stored or unchanged, and is not gone since.

    A selection decides who enters; whoever was sent once is followed until gone. A line
    that is neither refused nor has content says that the object is gone.
    """
    refused = pc.equal(pc.field("outcome"), str(Outcome.REFUSED))
    held = pc.equal(pc.field("outcome"), str(Outcome.HELD))
    gone = pc.is_null(pc.field("content_hash"))
    last = _last(folder, ~refused & (gone | ~held))
    living = last.filter(pc.is_valid(last["content_hash"]))
    kinds, uids = living["kind"].to_pylist(), living["uid"].to_pylist()
    return frozenset(map(Ref, kinds, uids))


def _last(folder: Path, wanted: pc.Expression | None) -> pa.Table:
    """Return the last of the *wanted* lines of each object."""
    lines = _lines(folder, wanted, ["kind", "uid", "tracked_entity", "outcome", "content_hash"])
    others = ("tracked_entity", "outcome", "content_hash")
    everything = pc.ScalarAggregateOptions(skip_nulls=False)
    return (
        lines.group_by(["kind", "uid"], use_threads=False)
        .aggregate([(name, "last", everything) for name in others])
        .rename_columns(["kind", "uid", *others])
    )


def _lines(folder: Path, wanted: pc.Expression | None, columns: list[str]) -> pa.Table:
    """Return lines of the state, the oldest first."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        return pa.table({name: pa.nulls(0, STATE.field(name).type) for name in columns})
    return pq.read_table(
        files,
        columns=[*columns, "at"],
        filters=wanted,
        schema=STATE,
        page_checksum_verification=True,
    ).sort_by("at")


def _folded(rows: Iterable[dict[str, Any]]) -> dict[Ref, Known]:
    return {
        Ref(row["kind"], row["uid"]): Known(
            row["read_at"],
            row["content_hash"],
            row["model_hash"],
            row["code"] if row["outcome"] == Outcome.REFUSED else None,
        )
        for row in rows
    }
