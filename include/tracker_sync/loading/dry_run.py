"""The dry run: what would be sent of a slice, written down by UID and field, and nothing sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dhis2_api.importer import Ref
from tracker_sync.ledger import LEDGER, as_table
from tracker_sync.loading.batch import bring_files, plan_batch
from tracker_sync.loading.bringing_files import Brought
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.difference import BESIDE, VALUES_KEY, values
from tracker_sync.planning.objects import Tree
from tracker_sync.planning.plan import Past, Planned
from tracker_sync.planning.would_be import planned_rows, unsent, write_planned
from tracker_sync.sending.destination import Destination


def dry_run(
    destination: Destination, batches: Iterable[Sequence[Tree]], past: Past, to: Path
) -> pa.Table:
    """Plan all batches, write to the file *to* what would be sent, and return rows of `LEDGER`.

    Raises:
        TransientError: The destination did not answer.
    """
    dry = _Dry(destination, past)
    write_planned(to, map(dry.rows, batches))
    return pa.concat_tables(dry.lines)


@dataclass(slots=True)
class _Dry:
    """A dry run of a slice.

    Attributes:
        destination: The server that would be written to.
        past: What its plans rest on.
        lines: Rows of `LEDGER`, a table a batch.
        files: The files that have a line.
    """

    destination: Destination
    past: Past
    lines: list[pa.Table] = field(default_factory=lambda: [LEDGER.empty_table()])
    files: set[Ref] = field(default_factory=set)

    def rows(self, trees: Sequence[Tree]) -> list[dict[str, Any]]:
        """Plan a batch, and return rows of `PLANNED`."""
        brought = bring_files(self.destination, trees, self.past)
        planned = plan_batch(self.destination, brought.trees, self.past)
        files = self._files(brought, planned)
        self.lines.append(as_table([*(unsent(item.entry) for item in planned), *files]))
        return [*(_row(item) for item in planned if item.text is not None), *planned_rows(files)]

    def _files(self, brought: Brought, planned: Sequence[Planned]) -> list[Entry]:
        """Return the lines of a batch's files as if what names them were stored."""
        holders = {item.entry.ref: _as_if_stored(item.entry) for item in planned}
        new = [line for line in brought.lines(holders) if line.ref not in self.files]
        self.files |= {line.ref for line in new}
        return [unsent(line) for line in new]


def _as_if_stored(line: Entry) -> Entry:
    return line.but(outcome=Outcome.STORED) if line.sent else line


def _row(item: Planned) -> dict[str, Any]:
    entry = item.entry
    ours = json.loads(item.text or "{}")
    theirs = json.loads(item.held.content or "{}") if item.held else {}
    mine, held = values(entry.ref.kind, ours), values(entry.ref.kind, theirs)
    cleared = sorted(uid for uid in mine if mine[uid]["value"] is None)
    changed = sorted(uid for uid in mine.keys() - cleared if mine[uid] != held.get(uid))
    return {
        "kind": entry.ref.kind,
        "uid": entry.ref.uid,
        "tracked_entity": entry.tracked_entity,
        "action": entry.action,
        "fields": [*_scalars(entry.ref.kind, ours, theirs), *changed],
        "cleared": cleared,
    }


def _scalars(kind: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the fields that differ, but for the values and what isn't compared."""
    left_out = {VALUES_KEY[kind][0], *BESIDE}
    for name in sorted((ours.keys() | theirs.keys()) - left_out):
        if ours.get(name) != theirs.get(name):
            yield name
