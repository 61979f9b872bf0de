"""The step `settle`: is everything that was to be read accounted for?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.importer import Ref
from tracker_sync.clocks import Clocks
from tracker_sync.codes import remedy_for
from tracker_sync.ledger import read_ledger
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import publish
from tracker_sync.route import Route
from tracker_sync.run_plan import read_run_plan
from tracker_sync.run_report import run_report
from tracker_sync.sealed import check_seal
from tracker_sync.slice_reading import PLAN_AGAIN
from tracker_sync.slicing import Slice
from tracker_sync.steps.after_slices import PHASES, last_lines
from tracker_sync.tally import refusals
from tracker_sync.window import Window
from tracker_sync.workspace import Workspace


NO_LEDGER = "SYNC_NO_LEDGER"
MOST_PROBLEMS = 20  # in an XCom; `report.json` has them all


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
    ledgers = {piece: _ledger(workspace, piece) for piece in run_plan.slices}
    phases = [read_ledger(path) for path in map(workspace.ledger, PHASES) if path.is_file()]
    entries = last_lines([*ledgers.values(), *phases])
    not_accounted = [*_missing(entries), *_twice(ledgers.values()), *_silent(workspace)]
    problems = [*not_accounted, *_new_refusals(route, entries)]
    report = run_report(workspace, run_plan, ledgers, entries, problems)
    publish(workspace.report, json.dumps(report, indent=1).encode())
    accounted = {} if not_accounted else run_plan.moving()
    return Settlement(report, accounted, tuple(problems), run_plan.clocks)


def _ledger(workspace: Workspace, piece: Slice) -> list[Entry]:
    """Return a slice's ledger, with a line for everything it should speak of and doesn't."""
    path = workspace.ledger(piece.slice)
    entries = [*read_ledger(path)] if path.is_file() else []
    check_seal(workspace.listing, PLAN_AGAIN)
    listed = pq.read_table(workspace.listing, filters=pc.field("slice") == piece.slice)
    roots = map(Ref, listed["kind"].to_pylist(), listed["uid"].to_pylist())
    silent = set(roots) - {_root(entry) for entry in entries}
    return entries + [
        Entry(root, _person(root), Outcome.MISSING, code=NO_LEDGER) for root in sorted(silent)
    ]


def _root(entry: Entry) -> Ref:
    return Ref("TRACKED_ENTITY", entry.tracked_entity) if entry.tracked_entity else entry.ref


def _person(root: Ref) -> str | None:
    return root.uid if root.kind == "TRACKED_ENTITY" else None


def _missing(entries: Iterable[Entry]) -> list[str]:
    codes = Counter(entry.code for entry in entries if entry.outcome is Outcome.MISSING)
    return [
        f"{count} missing, {code}: {_remedy(code)}"
        for code, count in sorted(codes.items(), key=str)
    ]


def _silent(workspace: Workspace) -> list[str]:
    """Name the phases that did not come to their end."""
    silent = [phase for phase in PHASES if not workspace.ledger(phase).is_file()]
    return [
        f"`{phase}` wrote no ledger: see the log of that task, and clear it" for phase in silent
    ]


def _twice(ledgers: Iterable[Sequence[Entry]]) -> list[str]:
    counts = Counter(entry.ref for lines in ledgers for entry in lines)
    twice = sorted(ref for ref, count in counts.items() if count > 1)
    return [f"{ref.kind} {ref.uid} stands twice in the ledger; report this" for ref in twice[:10]]


def _new_refusals(route: Route, entries: Iterable[Entry]) -> list[str]:
    if route.refused == "warn":
        return []
    new = [item for item in refusals(entries) if item.outcome == "refused" and not item.known]
    codes = Counter(item.code for item in new)
    first = {item.code: item for item in reversed(new)}
    return [
        f"{count} refused for the first time, {code}: {_remedy(code)} "
        f"(e.g. {first[code].kind} {first[code].uid})"
        for code, count in sorted(codes.items())
    ]


def _remedy(code: str | None) -> str:
    remedy = remedy_for(code)
    return f"{remedy.meaning_en}; {remedy.do_en}"
