"""The phases after the slices: what they share, and in which order they come."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.importer import Ref
from tracker_sync.ledger import (
    as_table,
    attempt_of,
    begin_ledger,
    read_lines,
    write_ledger,
)
from tracker_sync.loading.batch import Destination
from tracker_sync.mapping.mapped_tables import Mapped, map_tables
from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.plan import Known
from tracker_sync.planning.would_be import planned_rows, write_planned
from tracker_sync.publish import publish
from tracker_sync.route import Route
from tracker_sync.runs.loaded_slices import Basis, Loaded, packages_of
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.slicing import Slice
from tracker_sync.runs.tally import tally_by_kind
from tracker_sync.servers import state_folder
from tracker_sync.staging.package import open_package
from tracker_sync.state.known import Page, recall, remember
from tracker_sync.workspace import Workspace, folder_name


#: In the order they come in. A later phase's line about an object replaces an earlier one.
PHASES = ("deletes", "second_pass", "relationships", "owners", "notes")


@dataclass(frozen=True, slots=True)
class AfterSlices:
    """What every phase works with.

    Attributes:
        source: The server that is read.
        destination: The server that is written to.
        route: The route.
        workspace: The files of the run.
        model: The programs' metadata, as the destination calls it.
        deletes_at_most: How many deletions a person allowed this run; nothing if nobody did.
    """

    source: Dhis2Client
    destination: Destination
    route: Route
    workspace: Workspace
    model: Model
    deletes_at_most: int | None = None

    @property
    def state(self) -> Path:
        """Where what the route's runs remember between these two servers lies."""
        return state_folder(self.workspace)

    @property
    def run(self) -> str:
        """What the state calls this run."""
        return folder_name(self.workspace.run_id)

    def known(self, people: Collection[str], events: Collection[str] = ()) -> dict[Ref, Known]:
        """Return what other runs know of all that belongs to people, and of lone events."""
        return recall(self.state, people, self.run, events)

    def slices(self) -> Sequence[Slice]:
        """Return the slices of the run."""
        return read_run_plan(self.workspace.plan).slices

    def loaded(self) -> Iterator[Loaded]:
        """Yield the packages of each slice whose `load` came to its end.

        Raises:
            DamagedPackage: A staged file is not what was written.
        """
        for piece in self.slices():
            packages = packages_of(self.workspace, piece)
            if packages:
                staged, bundles = map(open_package, packages)
                yield Loaded(piece, staged, bundles)

    def staged_tables(self, loaded: Loaded, *only: str) -> Iterator[Mapped]:
        """Yield some of a slice's tables, row group by row group, as the destination calls things.

        Raises:
            DamagedPackage: A staged file is not what was written.
        """
        here = Model.read(self.workspace.model)
        for tables in loaded.staged.row_groups(*only):
            yield map_tables(tables, self.route.mapping, here)

    def begin(self, phase: str) -> None:
        """Void what an earlier attempt of a phase came to, and what came after it.

        Raises:
            TransientError: A job that it began goes on at the destination.
        """
        _void(self.workspace, PHASES[PHASES.index(phase) :])
        begin_ledger(self.workspace.ledger(phase))
        if self.destination.posting.jobs:
            self.destination.posting.jobs.await_all(self.destination.client)

    def superseded(self, piece: Slice) -> frozenset[str]:
        """Return the people and lone events of a slice that a later read has overtaken."""
        lines = read_lines(self.workspace.ledger(piece.slice), "outcome", "tracked_entity", "uid")
        old = lines.filter(pc.equal(lines["outcome"], str(Outcome.SUPERSEDED)))
        return frozenset(pc.coalesce(old["tracked_entity"], old["uid"]).to_pylist())

    def finish(
        self,
        phase: str,
        lines: Mapping[Basis, Sequence[Entry]],
        kept: Collection[Ref] = frozenset(),
    ) -> dict[str, Any]:
        """Remember what a phase came to, write its ledger, and return its counts.

        Args:
            phase: Of `PHASES`.
            lines: Each object that the phase speaks of, once, by what its line rests on.
            kept: Those that `remember` was given already.
        """
        for basis, entries in lines.items():
            self.remember(phase, basis, [entry for entry in entries if entry.ref not in kept])
        entries = [entry for entries in lines.values() for entry in entries]
        if self.destination.dry_run:
            write_planned(self.workspace.planned(phase), [[*planned_rows(entries)]])
        path = self.workspace.ledger(phase)
        write_ledger(path, entries, attempt_of(path))
        report = {"schema_version": 1, "phase": phase, "kinds": tally_by_kind(as_table(entries))}
        publish(self.workspace.import_report(phase), json.dumps(report, indent=1).encode())
        return report

    def remember(self, phase: str, basis: Basis, entries: Sequence[Entry]) -> None:
        """Let the state know lines that the ledger of a phase does not have, or not yet.

        Such as those of objects whose stamps moved at the destination by what a phase wrote:
        else the next run would take that for somebody's edit.
        """
        if not self.destination.dry_run:
            remember(self._page(phase, basis), entries, self.model.hash)

    def _page(self, phase: str, basis: Basis) -> Page:
        return Page(
            self.state, self.run, phase, basis.read_number, datetime.now(UTC), basis.program
        )


def begin_load(workspace: Workspace, piece: Slice) -> int:
    """Void what an earlier `load` of a slice came to, and what phases made of it.

    Returns:
        The number of this attempt, from 1 on.
    """
    _void(workspace, PHASES)
    return begin_ledger(workspace.ledger(piece.slice))


def _void(workspace: Workspace, phases: Iterable[str]) -> None:
    for phase in phases:
        workspace.ledger(phase).unlink(missing_ok=True)
