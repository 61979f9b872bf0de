"""The report in words: one run as lines for a log or a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracker_sync.runs.tally import COLUMNS


_SHOWN = ("read", "created", "changed", "deleted", "unchanged", "refused", "held", "missing")
_MOST_OF_A_CODE = 5


def slice_line(import_report: Mapping[str, Any]) -> str:
    """Return a slice's outcome in one line."""
    seconds = sum(import_report["timings"].values())
    left_out = import_report["values_left_out"]
    lost = f", {left_out} values of events that did not take place not carried" if left_out else ""
    return f"slice {import_report['name']}: {_counted(import_report)}{lost}, {seconds:.1f} s"


def phase_line(import_report: Mapping[str, Any]) -> str:
    """Return in one line what a phase after the slices came to."""
    return f"{import_report['phase']}: {_counted(import_report)}"


def listing_line(counts: Mapping[str, Any]) -> str:
    """Return in one line how it was found out who is read; of a run's plan or its report."""
    return (
        f"named only by enrollments or events: {counts['only_from_children']} people, "
        f"read for open refusals: {counts['with_open_refusals']}, "
        f"selected away: {counts['selected_away']}; "
        f"passes over a list: {counts['passes']}, rows found late: {counts['found_later']}"
    )


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """Return the report of a run as two tables and what did not arrive."""
    slices = [[line["name"], *_cells(line), f"{line['seconds']:.1f}"] for line in report["slices"]]
    totals = ["all", *_cells(report["totals"]), ""]
    kinds = [
        [kind, *_cells(counts), ""] for kind, counts in report["kinds"].items() if counts["read"]
    ]
    head = ["slice", *_SHOWN, "seconds"]
    return [
        *_table([head, *slices, totals]),
        "",
        *_table([["kind", *_SHOWN, ""], *kinds]),
        "",
        listing_line(report),
        *_left_out(report),
        *_not_arrived(report),
        *(f"! {problem}" for problem in report["problems"]),
    ]


def _left_out(report: Mapping[str, Any]) -> list[str]:
    """Tell of values that no DHIS2 takes, though their events arrived (docs/plan.md)."""
    count = report["values_left_out"]
    if not count:
        return []
    return [
        f"values of events that did not take place, not carried: {count}",
        f"  fr: valeurs d'événements qui n'ont pas eu lieu, non copiées : {count}",
    ]


def _counted(import_report: Mapping[str, Any]) -> str:
    kinds: Iterable[Mapping[str, int]] = import_report["kinds"].values()
    totals = {column: sum(kind[column] for kind in kinds) for column in COLUMNS}
    counts = (f"{totals[column]} {column}" for column in _SHOWN if totals[column])
    return ", ".join(counts) or "nothing"


def _cells(counts: Mapping[str, int]) -> list[str]:
    return [str(counts[column]) for column in _SHOWN]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [_padded(row, widths) for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return "  ".join(cells).rstrip()


def _not_arrived(report: Mapping[str, Any]) -> list[str]:
    """Name what did not arrive, code by code; the rest of a long list is in `report.json`."""
    by_code: dict[str, list[Mapping[str, Any]]] = {}
    for item in report["refusals"]:
        by_code.setdefault(item["code"], []).append(item)
    shown = [line for items in by_code.values() for line in _of_a_code(items)]
    more = report["refusals_in_all"] - sum(len(i[:_MOST_OF_A_CODE]) for i in by_code.values())
    return ["", *shown, *([f"and {more} more, in report.json"] if more > 0 else [])]


def _of_a_code(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what a code means and who does what, in English, in French, and of whom it is said."""
    first = items[0]
    return [
        f"{first['code']}, {first['who']}: {first['meaning']}; {first['do']}",
        f"  fr: {first['meaning_fr']} ; {first['do_fr']}",
        *map(_one, items[:_MOST_OF_A_CODE]),
    ]


def _one(item: Mapping[str, Any]) -> str:
    since = "known" if item["known"] else "new"
    link = f" {item['link']}" if item["link"] else ""
    whose = _whose(item["tracked_entity"])
    return f"  {item['outcome']} ({since}): {item['kind']} {item['uid']}{whose}{link}"


def _whose(person: str | None) -> str:
    return f" of tracked entity {person}" if person else ""
