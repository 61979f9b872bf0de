"""The step `load`: bring a slice's bundles to the destination and account for each object."""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.collecting import collecting_seldom
from tracker_sync.ledger import as_entries, as_table, of_batch, write_lines
from tracker_sync.loading.batch import Destination, load_lines
from tracker_sync.loading.batches import each_batch
from tracker_sync.loading.dry_run import dry_run
from tracker_sync.loading.intending import telling
from tracker_sync.mapping.there import read_model_there
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.objects import Tree
from tracker_sync.planning.plan import Known, Past
from tracker_sync.publish import publish
from tracker_sync.route import Route
from tracker_sync.runs.after_slices import begin_load
from tracker_sync.runs.loaded_slices import note_loaded
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.reject_details import keeping_details
from tracker_sync.runs.replay import as_asked
from tracker_sync.runs.slicing import Slice
from tracker_sync.runs.tally import not_arrived, refusals, tally_by_kind
from tracker_sync.second_pass.unique_values import UniqueValues, held_back
from tracker_sync.sending.batch_size import BatchSize
from tracker_sync.sending.destination import Edits
from tracker_sync.sending.writers import in_parallel
from tracker_sync.servers import state_folder
from tracker_sync.staging.file_values import values_in
from tracker_sync.staging.package import Package, Staged, open_package
from tracker_sync.state.known import Page, recall, remember
from tracker_sync.state.read_number import never_below
from tracker_sync.state.remembering import remember_as_they_come
from tracker_sync.workspace import Workspace, folder_name


NOT_RETURNED = "SYNC_NOT_RETURNED"
GONE = "SYNC_GONE_AT_SOURCE"
ENROLLMENT_NOT_RETURNED = "SYNC_ENROLLMENT_NOT_RETURNED"
CHILD_NOT_RETURNED = "SYNC_CHILD_NOT_RETURNED"
SCHEMA_VERSION = 1
_MOST_EXAMPLES = 50

_log = logging.getLogger(__name__)


def load(
    destination: Destination, route: Route, workspace: Workspace, piece: Slice, bundles: Staged
) -> dict[str, Any]:
    """Load a slice, write its ledger and its part of the state; return its import report.

    The report is what the task's XCom `import_report` holds, documented in
    `docs/report.md`: counts and UIDs, never a value.

    Raises:
        DamagedPackage: A staged file is not what was written.
        TransientError: The destination stopped answering.
    """
    began = time.monotonic()
    attempt = begin_load(workspace, piece)
    package = open_package(bundles)
    never_below(workspace.reads, package.notes["read_number"])
    with keeping_details(destination.client, workspace, piece.slice), collecting_seldom():
        came = _came(_ready(destination, route), route, workspace, piece, package)
    lines = pa.concat_tables([as_table(_what_did_not_come(piece, package.notes)), came])
    note_loaded(workspace, piece, package.notes["staged"], bundles)
    write_lines(workspace.ledger(piece.slice), lines, attempt)
    timings = {**package.notes["timings"], "load": round(time.monotonic() - began, 3)}
    left_out = package.notes.get("values_left_out", 0)
    report = {
        **import_report(piece, lines),
        "values_left_out": left_out,
        "timings": timings,
        "path": str(workspace.ledger(piece.slice)),
    }
    publish(workspace.import_report(piece.slice), json.dumps(report, indent=1).encode())
    return report


def import_report(piece: Slice, lines: pa.Table) -> dict[str, Any]:
    """Return what became of a slice in counts, with up to fifty examples of what did not arrive."""
    rows = not_arrived(lines)
    codes = {of["values"]: of["counts"] for of in pc.value_counts(rows["code"]).to_pylist()}
    return {
        "schema_version": SCHEMA_VERSION,
        "slice": piece.slice,
        "name": piece.name,
        "kinds": tally_by_kind(lines),
        "codes": dict(sorted(codes.items())),
        "examples": [[item.code, item.kind, item.uid] for item in refusals(lines, _MOST_EXAMPLES)],
    }


def _ready(destination: Destination, route: Route) -> Destination:
    """Return the destination with the route's terms, and nothing of an earlier try under way."""
    if destination.posting.jobs:
        destination.posting.jobs.await_all(destination.client)
    size = BatchSize(route.batches.tracked_entities)
    return replace(
        destination,
        edits=route.destination_edits,
        writers=route.batches.in_parallel,
        posting=replace(destination.posting, size=size),
    )


def _came(
    destination: Destination, route: Route, workspace: Workspace, piece: Slice, package: Package
) -> pa.Table:
    """Return the lines of all that the package holds, remembered unless the run is a dry one."""
    model = read_model_there(workspace.model, route.mapping)
    past = Past(
        _known(workspace, package, route.destination_edits), package.notes["read_number"], model
    )
    page = _page(workspace, piece, package)
    about_to = telling(
        route.destination_edits, past.known, lambda lines: remember(page, lines, model.hash)
    )
    destination = replace(destination, files=values_in(package), about_to=about_to)
    batches = each_batch(package, route.batches, destination.posting.size)
    if destination.dry_run:
        return dry_run(destination, batches, past, workspace.planned(piece.slice))
    lost = {uid for uid, _ in package.notes["without_enrollment"]}
    values = UniqueValues(workspace.unique_values, model)
    loaded = _loaded(destination, batches, past, values)
    if lost:
        loaded = (
            as_table(_missing_if(entry, lost) for entry in as_entries(lines)) for lines in loaded
        )
    return remember_as_they_come(page, loaded, model.hash)


def _loaded(
    destination: Destination, batches: Iterator[list[Tree]], past: Past, values: UniqueValues
) -> Iterator[pa.Table]:
    def load_one(there: Destination, trees: list[Tree]) -> pa.Table:
        waiting = values.waiting(trees)
        first = [tree for tree in trees if tree.uid not in waiting]
        lines = load_lines(there, first, past)
        sent = lines["sent"].combine_chunks().true_count
        _log.info("%s people or events compared, %s objects sent", len(first), sent)
        later = [line for tree in trees if tree.uid in waiting for line in held_back(tree)]
        return pa.concat_tables([lines, as_table(later)]) if later else lines

    for number, lines in enumerate(in_parallel(destination, batches, load_one), 1):
        yield of_batch(lines, number)


def _page(workspace: Workspace, piece: Slice, package: Package) -> Page:
    return Page(
        state_folder(workspace),
        folder_name(workspace.run_id),
        piece.slice,
        package.notes["read_number"],
        datetime.fromisoformat(package.notes["read_at"]),
        piece.program,
    )


def _known(workspace: Workspace, package: Package, edits: Edits) -> Mapping[Ref, Known]:
    """Return what other runs know of the objects of a package."""
    roots: defaultdict[str, set[str]] = defaultdict(set)
    columns = package.columns("bundles", "kind", "uid")
    for kind, uid in zip(columns["kind"].to_pylist(), columns["uid"].to_pylist(), strict=True):
        roots[kind].add(uid)
    people, events, state = roots["TRACKED_ENTITY"], roots["EVENT"], state_folder(workspace)
    known = recall(state, people, folder_name(workspace.run_id), events)
    if edits != "overwrite":  # what an earlier try of this run wrote is nobody's edit
        ours = recall(state, people, "", events)
        known = {
            ref: replace(
                of, destination_updated_at=last.destination_updated_at, written=last.content_hash
            )
            for ref, of in known.items()
            for last in [ours[ref]]
        }
    return as_asked(known, read_run_plan(workspace.plan))


def _what_did_not_come(piece: Slice, notes: Mapping[str, Any]) -> list[Entry]:
    """Return lines that are not remembered: rights lost for a night look the same as a purge.

    A refusal stays open, and every run asks for whom it is about.
    """
    absent = [_line(piece, uid, Outcome.MISSING, NOT_RETURNED) for uid in notes["absent"]]
    gone = [_line(piece, uid, Outcome.HELD, GONE) for uid in notes["gone"]]
    children = [
        Entry(Ref(kind, uid), person, Outcome.MISSING, code=CHILD_NOT_RETURNED)
        for kind, uid, person in notes["children_not_returned"]
    ]
    return [*absent, *gone, *children]


def _line(piece: Slice, uid: str, outcome: Outcome, code: str) -> Entry:
    """Return the line of a person, or of an event without registration, that did not come."""
    if piece.program:
        return Entry(Ref("EVENT", uid), None, outcome, code=code)
    return Entry(Ref("TRACKED_ENTITY", uid), uid, outcome, code=code)


def _missing_if(entry: Entry, lost: set[str]) -> Entry:
    if entry.ref.kind != "TRACKED_ENTITY" or entry.ref.uid not in lost:
        return entry
    return entry.but(outcome=Outcome.MISSING, action=None, code=ENROLLMENT_NOT_RETURNED)
