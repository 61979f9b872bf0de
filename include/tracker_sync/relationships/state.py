"""The relationships of the state: what earlier runs came to with them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.outcome import Outcome
from tracker_sync.relationships.link import KIND
from tracker_sync.state.fold import fold, is_refused
from tracker_sync.state.lines import Wanted, among, lines, texts


@dataclass(frozen=True, slots=True)
class Known:
    """The last line about a relationship.

    Attributes:
        read_number: The number of the read that the line rests on.
        tracked_entity: The person it belongs to; nobody if it joins events of nobody's.
        lone_event: The event without registration that it belongs to then.
        program: The program without registration of such events; empty for all else.
        outcome: What became of it.
        code: Why it was refused or held.
        content_hash: What it was; nothing once it was gone at the source.
        model_hash: The programs' metadata at that time.
        destination_uid: Its UID at the destination, where that is another.
    """

    read_number: int
    tracked_entity: str | None
    lone_event: str | None
    program: str
    outcome: Outcome
    code: str | None
    content_hash: str | None
    model_hash: str
    destination_uid: str | None

    @property
    def refused(self) -> str | None:
        """The code it was refused with, if it was."""
        return self.code if self.outcome is Outcome.REFUSED else None

    @property
    def root(self) -> str | None:
        """The person, or the event without registration, that it is read with."""
        return self.tracked_entity or self.lone_event

    @property
    def is_open(self) -> bool:
        """Whether the destination may have it, or a refusal of it is open."""
        return self.content_hash is not None or self.outcome in {Outcome.REFUSED, Outcome.HELD}


@dataclass(frozen=True, slots=True)
class About:
    """Which relationships are asked about: of all these.

    Attributes:
        uids: Relationships.
        roots: All that belong to these people, or events without registration.
        held: All whose deletion is held.
    """

    uids: Collection[str] = ()
    roots: Collection[str] = ()
    held: bool = False


def known_relationships(folder: Path, about: About, run: str) -> dict[str, Known]:
    """Return what is known of relationships, by UID.

    Refusals of *run* itself are not known: a phase that is cleared meets them anew. What it
    has stored is.

    Args:
        folder: The state.
        about: Which relationships.
        run: The folder name of the run that asks.
    """
    kind, own = texts([KIND]), texts([run])
    # Of these all lines are asked for, or an older one would pass for the last.
    met = lines(folder, ["uid"], _asked(about, kind), _JUDGED_BY)["uid"].unique()

    def wanted(part: pa.Table) -> pa.ChunkedArray:
        ours = pc.and_(among(part["run"], own), is_refused(part))
        theirs = pc.and_(among(part["kind"], kind), among(part["uid"], met))
        return pc.and_not(theirs, ours)

    return {
        ref.uid: Known(number, person, event, program or "", Outcome(outcome), *others)
        for ref, (number, person, event, program, outcome, *others) in fold(
            folder, _COLUMNS, wanted
        ).items()
    }


_JUDGED_BY = ("kind", "tracked_entity", "lone_event", "outcome")
_COLUMNS = (
    *("read_number", "tracked_entity", "lone_event", "program", "outcome", "code"),
    *("content_hash", "model_hash", "destination_uid"),
)


def _asked(about: About, kind: pa.StringArray) -> Wanted:
    uids, roots = texts(about.uids), texts(about.roots)
    held = texts([Outcome.HELD] if about.held else [])

    def asked(part: pa.Table) -> pa.ChunkedArray:
        theirs = pc.or_(among(part["tracked_entity"], roots), among(part["lone_event"], roots))
        either = pc.or_(pc.or_(theirs, among(part["uid"], uids)), among(part["outcome"], held))
        return pc.and_(among(part["kind"], kind), either)

    return asked
