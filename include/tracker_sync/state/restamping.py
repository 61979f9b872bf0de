"""The restamping: what the state knows of objects gets the stamps that our own writes moved.

A write moves the stamps of what stands above as well (measured: Clock). Without this, the
next run would take our own write for an edit at the destination.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.state.fold import decides, fold
from tracker_sync.state.lines import among, texts
from tracker_sync.state.pages import STATE, new_page


_NEXT = timedelta(microseconds=1)  # what was the last line stays it


def restamp(folder: Path, phase: str, stamps: Mapping[Ref, tuple[datetime, datetime]]) -> int:
    """Repeat the last lines of objects with another stamp, and return how many lines.

    So is the last line that had content, where another came after it: a deletion that is held
    is judged by what was copied (`waiting.copied_below`).

    Args:
        folder: The state.
        phase: The phase whose writes moved the stamps.
        stamps: Object -> the destination's stamp before those writes, and the one after. An
            object whose line had another stamp before was edited by somebody else, and keeps it.
    """
    uids = texts({ref.uid for ref in stamps})
    last = fold(folder, STATE.names, lambda part: among(part["uid"], uids))
    copied = fold(
        folder,
        STATE.names,
        lambda part: pc.and_(
            among(part["uid"], uids), pc.and_(decides(part), pc.is_valid(part["content_hash"]))
        ),
    )
    earlier = {ref: line for ref, line in copied.items() if line != last[ref]}
    now = datetime.now(UTC)
    rows = [
        dict(zip(STATE.names, line, strict=True)) | {"at": at}
        for at, lines in ((now, earlier), (now + _NEXT, last))
        for ref, line in lines.items()
        if ref in stamps
    ]
    moved = [
        row | {"destination_updated_at": after}
        for row in rows
        for before, after in [stamps[Ref(row["kind"], row["uid"])]]
        if row["destination_updated_at"] == before != after
    ]
    if moved:
        with new_page(folder, phase) as file:
            file.write_table(pa.Table.from_pylist(moved, STATE))
    return len(moved)
