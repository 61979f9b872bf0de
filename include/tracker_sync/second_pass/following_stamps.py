"""The following of stamps: what our writes beside people make of their stamps, the state knows.

A relationship moves the stamps of its ends, and from 2.43 a transfer that of the person
(measured: Clock).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa

from dhis2_api.client import Dhis2Client
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref
from tracker_sync.reading.people import Wanted, read_wanted
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.state.restamping import restamp


_ROW = pa.struct([("trackedEntity", pa.string()), ("updatedAt", pa.timestamp("ms"))])
_STAMPS = Wanted("trackedEntities", "trackedEntity,updatedAt", _ROW)


@contextmanager
def following_stamps(after: AfterSlices, phase: str, people: Collection[str]) -> Iterator[None]:
    """Let the state follow what the writes within do to the stamps of *people*.

    A dry run writes nothing.
    """
    if after.destination.dry_run:
        yield
        return
    client = after.destination.client
    before = _stamps(client, people)
    yield
    now = _stamps(client, [ref.uid for ref in before])
    moved = {ref: (before[ref], stamp) for ref, stamp in now.items()}
    restamp(after.state, phase, moved)


def _stamps(client: Dhis2Client, people: Collection[str]) -> dict[Ref, datetime]:
    found: dict[Ref, datetime] = {}
    for batch in read_wanted(client, _STAMPS, sorted(people), MOST_UIDS):
        uids, stamps = (
            batch.rows.field(name).to_pylist() for name in ("trackedEntity", "updatedAt")
        )
        found |= {Ref("TRACKED_ENTITY", uid): at for uid, at in zip(uids, stamps, strict=True)}
    return found
