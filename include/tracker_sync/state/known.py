"""The state: what earlier runs of a route know, a cache of the truth.

Append-only Parquet, some pages a run and slice, folded on read: of two lines about one
object the later counts, which is the one that rests on the later read. Lost, it is
rebuilt by comparing the two servers (docs/state.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.ledger import as_table
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.plan import EDITED_THERE, Known
from tracker_sync.state.compaction import merge_small_pages
from tracker_sync.state.fold import decides, fold, is_refused
from tracker_sync.state.lines import OfOthers, among, lines, texts
from tracker_sync.state.pages import STATE, new_page


_REMEMBERED = {Outcome.STORED, Outcome.UNCHANGED, Outcome.REFUSED, Outcome.HELD}


@dataclass(frozen=True, slots=True)
class Page:
    """What is common to the lines of one page of the state.

    Attributes:
        folder: The state of a route between two servers.
        run: The folder name of the run that writes it.
        slice: The slice.
        read_number: The number of the read of the slice's people.
        read_at: When that began, by the worker's clock; for people to read only.
        program: The program without registration, if its events are what the lines are about.
    """

    folder: Path
    run: str
    slice: str
    read_number: int
    read_at: datetime
    program: str = ""


def remember(page: Page, entries: Iterable[Entry], model_hash: str) -> None:
    """Add a page of what a slice of a run came to; nothing that was known is changed or removed.

    Args:
        page: Where to.
        entries: Its ledger, or part of it.
        model_hash: The programs' metadata it was loaded under.
    """
    remember_lines(page, as_table(entries), model_hash)


def remember_lines(page: Page, rows: pa.Table, model_hash: str) -> None:
    """Add a page as `remember` does, of rows of `ledger.LEDGER`."""
    kept = rows.filter(among(rows["outcome"], texts(_REMEMBERED)))
    of_all = {
        "program": page.program or None,
        "model_hash": model_hash,
        "run": page.run,
        "read_number": page.read_number,
        "read_at": page.read_at,
        "at": datetime.now(UTC),
    }
    columns = [
        pa.repeat(pa.scalar(of_all[field.name], field.type), kept.num_rows)
        if field.name in of_all
        else kept[field.name]
        for field in STATE
    ]
    with new_page(page.folder, page.slice) as file:
        file.write_table(pa.Table.from_arrays(columns, schema=STATE))
    merge_small_pages(page.folder)


def recall(
    folder: Path, people: Collection[str], but_run: str, events: Collection[str] = ()
) -> dict[Ref, Known]:
    """Return what is known of the objects of *people* and *events*, except from *but_run*.

    A run does not know its own refusals: a task that is cleared meets them anew.

    Args:
        folder: The state.
        people: Tracked entities.
        but_run: The folder name of the run that asks.
        events: Events without registration, which belong to nobody.
    """
    theirs, alone = texts(people), texts(events)

    def wanted(part: pa.Table) -> pa.ChunkedArray:
        of_events = pc.or_(among(part["uid"], alone), among(part["lone_event"], alone))
        return pc.or_(among(part["tracked_entity"], theirs), of_events)

    columns = ("read_number", "content_hash", "model_hash", "outcome", "code")
    returned = (*columns, "destination_updated_at")
    of_others = OfOthers(but_run, wanted)
    found = fold(folder, returned, of_others, ["tracked_entity", "lone_event"])
    return {
        ref: Known(number, content, model, code if outcome == Outcome.REFUSED else None, stamp)
        for ref, (number, content, model, outcome, code, stamp) in found.items()
    }


def open_refusals(folder: Path, codes: Collection[str] = ()) -> dict[Ref, str]:
    """Return what every run must read again, because its last known outcome is a refusal.

    So is what an edit at the destination holds: the route may overwrite it tomorrow. Nothing
    at the source may ever stamp these again. A refused object of a person gives the person
    (`TRACKED_ENTITY`); an event without registration gives itself (`EVENT`), and its program,
    in which alone a server can be asked for it.

    Args:
        folder: The state.
        codes: Only refusals with one of these codes; any, if none is given.
    """
    ever = lines(folder, ["uid"], _is_open, ["outcome", "code"])["uid"].unique()
    columns = (*_OF_ROOT, "outcome", "code")
    last = fold(folder, columns, lambda part: among(part["uid"], ever))
    found = {
        root_of(ref, person, event): program or ""
        for ref, (person, event, program, outcome, code) in last.items()
        if (outcome == Outcome.REFUSED or code == EDITED_THERE) and (not codes or code in codes)
    }
    return {root: program for root, program in found.items() if root.kind in _ROOTS}


def _is_open(part: pa.Table) -> pa.ChunkedArray:
    return pc.or_(is_refused(part), among(part["code"], texts([EDITED_THERE])))


def roots_of(folder: Path, uids: Collection[str]) -> dict[str, tuple[Ref, str]]:
    """Return what objects belong to, as `open_refusals` does: UID -> root and its program."""
    asked_for = texts(uids)
    last = fold(folder, _OF_ROOT, lambda part: among(part["uid"], asked_for))
    return {
        ref.uid: (root_of(ref, person, event), program or "")
        for ref, (person, event, program) in last.items()
    }


_ROOTS = ("TRACKED_ENTITY", "EVENT")
_OF_ROOT = ("tracked_entity", "lone_event", "program")


def root_of(ref: Ref, person: str | None, lone_event: str | None) -> Ref:
    """Return what is read in order to read an object: its person, or the lone event it is of."""
    if person:
        return Ref("TRACKED_ENTITY", person)
    return Ref("EVENT", lone_event) if lone_event else ref


def followed_among(folder: Path, kind: str, uids: Collection[str]) -> frozenset[str]:
    """Return which of *uids*, all of one kind, are followed.

    These are those that were ever stored or unchanged, and are not gone since. A selection
    decides who enters; whoever was sent once is followed until gone.
    """
    asked_for = texts(uids)
    last = fold(
        folder,
        ("content_hash",),
        lambda part: pc.and_(among(part["uid"], asked_for), decides(part)),
        ["outcome"],
    )
    living = {ref for ref, (content,) in last.items() if content is not None}
    return frozenset(uid for uid in uids if Ref(kind, uid) in living)
