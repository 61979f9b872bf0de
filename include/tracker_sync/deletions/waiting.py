"""The waiting: which deletions are held, by what all runs of a route remember."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.outcome import Outcome
from tracker_sync.state.fold import ON_ITS_WAY, ORDER, decides, fold
from tracker_sync.state.lines import Wanted, among, lines, texts


HELD = "SYNC_DELETE_HELD"
ABOVE_CAP = "SYNC_DELETE_ABOVE_CAP"
MORE_BELOW = "SYNC_DELETE_MORE_BELOW"
EDITED = "SYNC_DELETE_EDITED"

#: Held for one of these, an object waits to be deleted at the destination.
WAITING = (HELD, ABOVE_CAP, MORE_BELOW, EDITED)

ROOTS_AT_ONCE = 3_000
OF_TREES = ("TRACKED_ENTITY", "ENROLLMENT", "EVENT")
DELETABLE = (*OF_TREES, "RELATIONSHIP")


_SEEN = ("tracked_entity", "program", "read_number", "source_updated_at")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One deletion that is held, as it was seen at the source.

    Attributes:
        tracked_entity: The person it belongs to; nobody for an event without registration.
        program: The program without registration of an event; empty for all else.
        read_number: The number of the read that showed it deleted.
        updated_at: The source's stamp of the deletion, without zone.
    """

    tracked_entity: str | None
    program: str
    read_number: int
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Copied:
    """The last that is known of an object which both servers had.

    Attributes:
        read_number: The number of the read that its version came with.
        destination_updated_at: The destination's stamp of it by then, without zone.
    """

    read_number: int
    destination_updated_at: datetime | None


def waiting_deletions(folder: Path, also: Collection[Ref] = ()) -> dict[Ref, Waiting]:
    """Return the deletions that are held in a state: nothing newer is known of these objects.

    But not those of relationships, which stand below nothing: the phase `relationships` has a
    way of its own to know that they are deleted.

    Args:
        folder: The state.
        also: Deletions that this run held, or sent in an earlier try; they are returned too
            if nothing newer is known of them.
    """
    codes, theirs = texts(WAITING), texts({ref.uid for ref in also})
    held = lines(folder, ["uid"], lambda part: among(part["code"], codes), ["code"])["uid"].unique()
    columns = ("outcome", "code", "content_hash", *_SEEN)
    last = fold(
        folder,
        columns,
        lambda part: pc.or_(among(part["uid"], held), among(part["uid"], theirs)),
    )
    return {
        ref: Waiting(person, program or "", number, updated_at)
        for ref, (outcome, code, content, person, program, number, updated_at) in last.items()
        if ref.kind in OF_TREES
        and ((outcome == Outcome.HELD and code in WAITING) or (ref in also and content is None))
    }


def copied_below(
    folder: Path, people: Collection[str], events: Collection[str]
) -> dict[Ref, Copied]:
    """Return what of *people*, and which *events* without registration, was ever copied.

    Of each the last line that had content: the destination held the same then. What a killed
    run was about to send since has no stamp: the run may have moved it.
    """
    theirs, alone = texts(people), texts(events)
    judged_by = ["tracked_entity", "outcome", "content_hash", "code"]

    def last_of(judge: Wanted) -> dict[Ref, tuple[Any, ...]]:
        def wanted(part: pa.Table) -> pa.ChunkedArray:
            asked_for = pc.or_(among(part["tracked_entity"], theirs), among(part["uid"], alone))
            return pc.and_(asked_for, judge(part))

        return fold(folder, ("read_number", "at", "destination_updated_at"), wanted, judged_by)

    sent = last_of(lambda part: among(part["code"], texts([ON_ITS_WAY])))
    copied = last_of(lambda part: pc.and_(decides(part), pc.is_valid(part["content_hash"])))
    return {
        ref: Copied(number, None if ref in sent and sent[ref][:2] > (number, at) else stamp)
        for ref, (number, at, stamp) in copied.items()
    }


def living_objects(folder: Path) -> int:
    """Return how many objects that can be deleted a state knows to be alive at both servers."""
    kinds = texts(DELETABLE)
    found = lines(
        folder,
        ["kind", "uid", "content_hash", *ORDER],
        lambda part: pc.and_(decides(part), among(part["kind"], kinds)),
        ["outcome"],
    )
    living = pc.is_valid(found["content_hash"])
    ordered = found.append_column("living", living).sort_by([(n, "ascending") for n in ORDER])
    last = ordered.group_by(["kind", "uid"], use_threads=False).aggregate([("living", "last")])
    return int(pc.sum(last["living_last"]).as_py() or 0)


def by_roots(waiting: Mapping[Ref, Waiting]) -> Iterator[dict[Ref, Waiting]]:
    """Yield what waits, some thousand people or lone events at a time, each with all of theirs."""
    roots: defaultdict[str, dict[Ref, Waiting]] = defaultdict(dict)
    for ref, one in waiting.items():
        roots[one.tracked_entity or ref.uid][ref] = one
    each = sorted(roots)
    for start in range(0, len(each), ROOTS_AT_ONCE):
        some = (roots[uid] for uid in each[start : start + ROOTS_AT_ONCE])
        yield {ref: one for of_root in some for ref, one in of_root.items()}


def people_of(waiting: Mapping[Ref, Waiting]) -> set[str]:
    """Return the people whom they are about."""
    return {one.tracked_entity for one in waiting.values() if one.tracked_entity}


def events_of(waiting: Mapping[Ref, Waiting]) -> set[str]:
    """Return the events without registration among them."""
    return {ref.uid for ref, one in waiting.items() if one.program}


def roots_of(waiting: Mapping[Ref, Waiting]) -> Mapping[str, Collection[str]]:
    """Return people under the empty text, and lone events by their program."""
    roots: defaultdict[str, set[str]] = defaultdict(set, {"": people_of(waiting)})
    for ref, one in waiting.items():
        if one.program:
            roots[one.program].add(ref.uid)
    return roots
