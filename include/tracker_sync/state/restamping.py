"""The restamping: what the state knows of objects gets the stamps that our own writes moved.

A write moves the stamps of what stands above as well (measured: Clock). Without this, the
next run would take our own write for an edit at the destination.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from dhis2_api.importer import Ref
from tracker_sync.state.fold import fold
from tracker_sync.state.lines import among, texts
from tracker_sync.state.pages import STATE, new_page


def restamp(folder: Path, phase: str, stamps: Mapping[Ref, tuple[datetime, datetime]]) -> int:
    """Repeat the last lines of objects with another stamp, and return of how many.

    Args:
        folder: The state.
        phase: The phase whose writes moved the stamps.
        stamps: Object -> the destination's stamp before those writes, and the one after. An
            object whose line had another stamp before was edited by somebody else, and keeps it.
    """
    uids = texts({ref.uid for ref in stamps})
    last = fold(folder, STATE.names, lambda part: among(part["uid"], uids))
    rows = [
        dict(zip(STATE.names, line, strict=True)) for ref, line in last.items() if ref in stamps
    ]
    now = datetime.now(UTC)
    moved = [
        row | {"destination_updated_at": after, "at": now}
        for row in rows
        for before, after in [stamps[Ref(row["kind"], row["uid"])]]
        if row["destination_updated_at"] == before != after
    ]
    if moved:
        with new_page(folder, phase) as file:
            file.write_table(pa.Table.from_pylist(moved, STATE))
    return len(moved)
