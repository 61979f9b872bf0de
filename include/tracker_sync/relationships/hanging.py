"""The hanging: which relationships objects have at the destination, and which came from us."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref
from tracker_sync.outcome import Outcome
from tracker_sync.reading.people import read_wanted
from tracker_sync.reading.relations import flatten_relationships, relationships_wanted
from tracker_sync.relationships.link import KIND, Relationship, relationships_in
from tracker_sync.state.fold import fold
from tracker_sync.state.lines import among, lines, texts


@dataclass(frozen=True, slots=True)
class Link:
    """One relationship that lives at the destination.

    Attributes:
        ref: As the source calls it, if it came from there.
        there: Its UID at the destination.
        ends: What it joins.
        read_number: Of the read it was last known by; nothing if it never came from the source.
    """

    ref: Ref
    there: str
    ends: tuple[Ref, ...]
    read_number: int | None = None


def links_of(
    client: Dhis2Client, state: Path, roots: Mapping[str, Collection[str]]
) -> dict[Ref, Link]:
    """Return the living relationships of *roots* and of all below them.

    Args:
        client: The destination.
        state: What the runs remember.
        roots: The UIDs of people under the empty text, those of lone events by their program.
    """
    found: dict[str, Relationship] = {}
    for program, uids in roots.items():
        wanted = relationships_wanted(program)
        for batch in read_wanted(client, wanted, sorted(uids), MOST_UIDS):
            there = relationships_in(flatten_relationships(batch.rows))
            found |= {each.uid: each for each in there}
    known = _brought(state, found)
    links = (_link(each, known.get(each.uid)) for each in found.values())
    return {link.ref: link for link in links}


def _link(there: Relationship, known: tuple[str, int] | None) -> Link:
    uid, number = known or (there.uid, None)
    return Link(Ref(KIND, uid), there.uid, there.ends, number)


def _brought(state: Path, there: Collection[str]) -> dict[str, tuple[str, int]]:
    """Return what is known of relationships: UID there -> UID at the source, and read number."""
    kind, uids = texts([KIND]), texts(there)

    def named(part: pa.Table) -> pa.ChunkedArray:
        either = pc.or_(among(part["uid"], uids), among(part["destination_uid"], uids))
        return pc.and_(among(part["kind"], kind), either)

    # Of these all lines are asked for, or an older one would pass for the last.
    met = lines(state, ["uid"], named, ["kind", "destination_uid"])["uid"].unique()
    columns = ("destination_uid", "read_number", "content_hash", "outcome")
    last = fold(
        state, columns, lambda part: pc.and_(among(part["kind"], kind), among(part["uid"], met))
    )
    return {
        there or ref.uid: (ref.uid, number)
        for ref, (there, number, content, outcome) in last.items()
        if content is not None or outcome == Outcome.HELD
    }
