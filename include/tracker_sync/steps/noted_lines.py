"""The lines of the noted: what became, in this run, of people and events that have notes."""

from __future__ import annotations

import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.ledger import as_entries, read_lines
from tracker_sync.outcome import Entry
from tracker_sync.runs.after_slices import PHASES, AfterSlices
from tracker_sync.runs.loaded_slices import Loaded
from tracker_sync.state.lines import among, texts


def lines_of_noted(after: AfterSlices, loaded: Loaded) -> dict[Ref, Entry]:
    """Return what became, so far, of the people and events of a slice that have notes."""
    people, events = _noted(loaded)
    before = PHASES[: PHASES.index("notes")]
    found: dict[Ref, Entry] = {}
    for path in map(after.workspace.ledger, (loaded.piece.slice, *before)):
        if path.is_file():
            lines = read_lines(path)
            theirs = among(lines["tracked_entity"], texts(people))
            theirs = pc.or_(theirs, among(lines["uid"], texts(events)))
            found |= {entry.ref: entry for entry in as_entries(lines.filter(theirs))}
    return found


def _noted(loaded: Loaded) -> tuple[set[str], set[str]]:
    people: set[str] = set()
    events: set[str] = set()
    for tables in loaded.staged.row_groups("notes"):
        notes = tables["notes"]
        people.update(pc.drop_null(notes["trackedEntity"]).to_pylist())
        alone = notes.filter(pc.is_null(notes["trackedEntity"]))
        events.update(alone["event"].to_pylist())
    return people, events
