"""The step `settle`: is everything that was to be read accounted for?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.importer import Ref
from tracker_sync.codes import remedy_for
from tracker_sync.deletions.waiting import ABOVE_CAP
from tracker_sync.ledger import LEDGER, as_table, read_lines
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import publish
from tracker_sync.reading.slices import PLAN_AGAIN
from tracker_sync.route import Route
from tracker_sync.runs.after_slices import PHASES
from tracker_sync.runs.ledger import run_ledger, twice
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.reject_details import gather_details
from tracker_sync.runs.report import RunLedgers, run_report
from tracker_sync.runs.slicing import Slice
from tracker_sync.runs.tally import adds_up, not_arrived, tally
from tracker_sync.runs.unspoken import unspoken
from tracker_sync.staging.sealed import check_seal, write_sealed
from tracker_sync.windows.clocks import Clocks
from tracker_sync.windows.window import Window
from tracker_sync.workspace import Workspace


NO_LEDGER = "SYNC_NO_LEDGER"
MOST_PROBLEMS = 20  # in an XCom; `report.json` has them all
_MOST_NAMED = 10


class RunNotClean(Exception):
    """The run must be red: something is missing, or refused for the first time."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a run ended.

    Attributes:
        report: What `report.json` holds; documented in `docs/report.md`.
        accounted: Watermark key -> window that is accounted for; empty if something is missing.
        problems: Why the run is red, a line each; empty if it is green.
        clocks: Both servers' clocks before anything was listed.
    """

    report: Mapping[str, Any]
    accounted: Mapping[str, Window]
    problems: tuple[str, ...]
    clocks: Clocks | None

    def summary(self) -> dict[str, Any]:
        """Return the part of the report that is small enough for an XCom."""
        small = ("schema_version", "route", "windows", "kinds", "totals", "problems", "staging")
        summary = {key: self.report[key] for key in small}
        return {**summary, "problems": summary["problems"][:MOST_PROBLEMS]}


def require_clean(settlement: Settlement) -> None:
    """Return if the run may be green.

    Raises:
        RunNotClean: It may not; one line for each reason, with its remedy.
    """
    if settlement.problems:
        raise RunNotClean("\n".join(settlement.problems))


def settle(route: Route, workspace: Workspace) -> Settlement:
    """Sum the ledgers of a run and write `report.json`.

    A slice without a ledger counts as missing. Refusals are kept in the state, so
    that the watermark may pass them; what is missing holds it back.

    Raises:
        RunNotClean: The run stopped before its slices were planned.
    """
    if not workspace.plan.is_file():
        raise RunNotClean("the run stopped before its slices were planned: see its failed task")
    run_plan = read_run_plan(workspace.plan)
    listed = _listed(workspace)
    slices = {piece: _lines(workspace, piece, listed) for piece in run_plan.slices}
    written = [phase for phase in PHASES if workspace.ledger(phase).is_file()]
    phases = {phase: read_lines(workspace.ledger(phase)) for phase in written}
    lines = run_ledger({piece.slice: lines for piece, lines in slices.items()}, phases)
    not_accounted = [*_missing(lines), *_not_once(slices, phases, lines), *_silent(workspace)]
    refused = [] if route.refused == "warn" else _refused(lines, known_too=run_plan.again)
    problems = [*not_accounted, *_above_the_cap(lines), *refused]
    ledgers = RunLedgers(slices, phases, lines)
    report = run_report(workspace, run_plan, ledgers, problems)
    write_sealed(workspace.run_ledger, lines)
    gather_details(workspace)
    publish(workspace.report, json.dumps(report, indent=1).encode())
    accounted = {} if not_accounted else run_plan.moving()
    return Settlement(report, accounted, tuple(problems), run_plan.clocks)


def _listed(workspace: Workspace) -> pa.Table:
    """Return who was to be read by which slice, once for all slices: it may be a long list."""
    check_seal(workspace.listing, PLAN_AGAIN)
    return pq.read_table(workspace.listing, columns=["kind", "uid", "slice"])


def _lines(workspace: Workspace, piece: Slice, listed: pa.Table) -> pa.Table:
    """Return a slice's ledger, with a line for everything it should speak of and doesn't."""
    path = workspace.ledger(piece.slice)
    lines = read_lines(path) if path.is_file() else LEDGER.empty_table()
    own = listed.filter(pc.equal(listed["slice"], piece.slice))
    silent = _objects(own["kind"], own["uid"]) - _roots(lines)
    missing = [
        Entry(root, _person(root), Outcome.MISSING, code=NO_LEDGER) for root in sorted(silent)
    ]
    missing += unspoken(workspace, piece, lines)
    return pa.concat_tables([lines, as_table(missing)])


def _roots(lines: pa.Table) -> set[Ref]:
    """Return the people and the events without registration that a ledger speaks of."""
    alone = lines.filter(pc.is_null(lines["tracked_entity"]))
    people = lines["tracked_entity"].unique().drop_null().to_pylist()
    return {Ref("TRACKED_ENTITY", uid) for uid in people} | _objects(alone["kind"], alone["uid"])


def _objects(kinds: pa.ChunkedArray, uids: pa.ChunkedArray) -> set[Ref]:
    return {*map(Ref, kinds.to_pylist(), uids.to_pylist())}


def _person(root: Ref) -> str | None:
    return root.uid if root.kind == "TRACKED_ENTITY" else None


def _missing(lines: pa.Table) -> list[str]:
    missing = lines.filter(pc.equal(lines["outcome"], str(Outcome.MISSING)))
    codes = Counter(missing["code"].to_pylist())
    return [
        f"{count} missing, {code}: {_remedy(code)}"
        for code, count in sorted(codes.items(), key=str)
    ]


def _not_once(
    slices: Mapping[Slice, pa.Table], phases: Mapping[str, pa.Table], lines: pa.Table
) -> list[str]:
    """Name what stands in two slices, twice in a phase, or comes to no end there is."""
    of_slices = pa.concat_tables([LEDGER.empty_table(), *slices.values()])
    found = [ref for part in (of_slices, *phases.values()) for ref in twice(part)]
    named = [
        f"{ref.kind} {ref.uid} stands twice in the ledger; report this"
        for ref in found[:_MOST_NAMED]
    ]
    if not adds_up(tally(lines)):
        named.append("the counts of the ledger do not add up; report this")
    return named


def _silent(workspace: Workspace) -> list[str]:
    """Name the phases that did not come to their end."""
    silent = [phase for phase in PHASES if not workspace.ledger(phase).is_file()]
    return [
        f"`{phase}` wrote no ledger: see the log of that task, and clear it" for phase in silent
    ]


def _above_the_cap(lines: pa.Table) -> list[str]:
    """Ask a person: so many deletions are sent by nobody's mistake only if somebody says so."""
    count = pc.sum(pc.equal(lines["code"], ABOVE_CAP)).as_py()
    return [f"{count} held, {ABOVE_CAP}: {_remedy(ABOVE_CAP)}"] if count else []


def _refused(lines: pa.Table, *, known_too: bool) -> list[str]:
    """Name what is refused for the first time; after a replay, which was to mend it, all."""
    rows = not_arrived(lines)
    rows = rows.filter(pc.equal(rows["outcome"], str(Outcome.REFUSED)))
    if not known_too:
        rows = rows.filter(pc.invert(rows["known"]))
    how = "refused" if known_too else "refused for the first time"
    wanted: list[Any] = [("uid", "count"), ("kind", "first"), ("uid", "first")]
    codes = rows.group_by("code", use_threads=False).aggregate(wanted).sort_by("code").to_pylist()
    return [
        f"{of['uid_count']} {how}, {of['code']}: {_remedy(of['code'])} "
        f"(e.g. {of['kind_first']} {of['uid_first']})"
        for of in codes
    ]


def _remedy(code: str | None) -> str:
    remedy = remedy_for(code)
    return f"{remedy.meaning_en}; {remedy.do_en}"
