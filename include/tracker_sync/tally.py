"""The tally: outcomes counted, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tracker_sync.outcome import KINDS, Entry, Outcome


# The columns of every table of counts, in the order people read them.
COLUMNS = (
    "read",
    "created",
    "changed",
    "deleted",
    "unchanged",
    "refused",
    "held",
    "superseded",
    "missing",
    "sent",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One object that did not arrive, and why; never what it says.

    Attributes:
        code: Of DHIS2 or of ours.
        kind: Of `outcome.KINDS`.
        uid: The object.
        tracked_entity: The person it belongs to; nobody for an event without registration.
        outcome: `refused`, `held` or `missing`.
        known: Whether an earlier run met it already.
    """

    code: str
    kind: str
    uid: str
    tracked_entity: str | None
    outcome: str
    known: bool


def tally(entries: Iterable[Entry]) -> dict[str, int]:
    """Count ledger lines by what became of them, under the names of `COLUMNS`."""
    counts: Counter[str] = Counter()
    for entry in entries:
        counts["read"] += 1
        counts[_column(entry)] += 1
        counts["sent"] += entry.sent
    return {column: counts[column] for column in COLUMNS}


def tally_by_kind(entries: Iterable[Entry]) -> Mapping[str, dict[str, int]]:
    """Count ledger lines by kind of object."""
    kinds: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
    for entry in entries:
        kinds[entry.ref.kind].append(entry)
    return {kind: tally(lines) for kind, lines in kinds.items()}


def refusals(entries: Iterable[Entry]) -> list[Refusal]:
    """Return what did not arrive, new refusals first, in a stable order."""
    found = [
        Refusal(
            entry.code or "",
            entry.ref.kind,
            entry.ref.uid,
            entry.tracked_entity,
            str(entry.outcome),
            entry.known,
        )
        for entry in entries
        if entry.outcome in {Outcome.REFUSED, Outcome.HELD, Outcome.MISSING}
    ]
    return sorted(found, key=lambda item: (item.known, item.code, item.kind, item.uid))


def _column(entry: Entry) -> str:
    return entry.action or str(entry.outcome) if entry.outcome is Outcome.STORED else entry.outcome
