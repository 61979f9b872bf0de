"""The run's report: one run in numbers and codes, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from tracker_sync.codes import remedy_for
from tracker_sync.runs.capture_link import link_to
from tracker_sync.runs.plan import RunPlan
from tracker_sync.runs.slicing import Slice
from tracker_sync.runs.tally import Refusal, not_arrived, refusals, tally, tally_by_kind
from tracker_sync.servers import addresses_of
from tracker_sync.windows.window import Window
from tracker_sync.workspace import Workspace


SCHEMA_VERSION = 1
MOST_NAMED = 1_000


@dataclass(frozen=True, slots=True)
class RunLedgers:
    """What a run came to, each as rows of `LEDGER`.

    Attributes:
        slices: The lines of each slice.
        phases: The lines of each phase after the slices.
        lines: One line for each object of the run.
    """

    slices: Mapping[Slice, pa.Table]
    phases: Mapping[str, pa.Table]
    lines: pa.Table


def run_report(
    workspace: Workspace, run_plan: RunPlan, ledgers: RunLedgers, problems: Sequence[str]
) -> dict[str, Any]:
    """Return what `report.json` holds; its keys are documented in `docs/report.md`."""
    named = refusals(ledgers.lines, MOST_NAMED)
    addresses = addresses_of(workspace)
    slices = [_slice_line(workspace, *of_slice) for of_slice in ledgers.slices.items()]
    return {
        "schema_version": SCHEMA_VERSION,
        "route": workspace.route,
        "run_id": workspace.run_id,
        "windows": {program: _span(window) for program, window in run_plan.windows.items()},
        "slices": slices,
        "phases": [{"phase": name, **tally(lines)} for name, lines in ledgers.phases.items()],
        "kinds": tally_by_kind(ledgers.lines),
        "totals": tally(ledgers.lines),
        "refusals": [_named(item, addresses) for item in named],
        "refusals_in_all": not_arrived(ledgers.lines).num_rows,
        "problems": list(problems),
        "values_left_out": sum(line["values_left_out"] for line in slices),
        "only_from_children": run_plan.only_from_children,
        "with_open_refusals": run_plan.with_open_refusals,
        "selected_away": run_plan.selected_away,
        "passes": run_plan.passes,
        "found_later": run_plan.found_later,
        "staging": str(workspace.run),
    }


def _span(window: Window) -> dict[str, str | None]:
    start = window.start.isoformat() if window.start else None
    return {"start": start, "end": window.end.isoformat()}


def _slice_line(workspace: Workspace, piece: Slice, lines: pa.Table) -> dict[str, Any]:
    path = workspace.import_report(piece.slice)
    told = json.loads(path.read_bytes()) if path.is_file() else {}
    return {
        **asdict(piece),
        **tally(lines),
        "values_left_out": told.get("values_left_out", 0),
        "seconds": round(sum(told.get("timings", {}).values()), 3),
    }


def _named(item: Refusal, addresses: Mapping[str, str]) -> dict[str, Any]:
    remedy = remedy_for(item.code)
    address = addresses.get(remedy.where)
    return {
        **asdict(item),
        "meaning": remedy.meaning_en,
        "do": remedy.do_en,
        "who": str(remedy.who),
        "meaning_fr": remedy.meaning_fr,
        "do_fr": remedy.do_fr,
        "link": link_to(address, item.kind, item.uid, item.tracked_entity) if address else None,
    }
