"""The tally: outcomes counted, for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.outcome import KINDS, Outcome


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

#: What an object can come to: each is counted in exactly one of these.
ENDS = COLUMNS[1:-1]


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


def tally(lines: pa.Table) -> dict[str, int]:
    """Count ledger lines, rows of `LEDGER`, by what became of them, under `COLUMNS`."""
    stored = pc.equal(lines["outcome"], str(Outcome.STORED))
    ends = pc.if_else(stored, pc.coalesce(lines["action"], lines["outcome"]), lines["outcome"])
    counts = {row["values"]: row["counts"] for row in pc.value_counts(ends).to_pylist()}
    sums = {"read": lines.num_rows, "sent": pc.sum(lines["sent"]).as_py() or 0}
    return {column: sums.get(column, counts.get(column, 0)) for column in COLUMNS}


def tally_by_kind(lines: pa.Table) -> Mapping[str, dict[str, int]]:
    """Count ledger lines, rows of `LEDGER`, by kind of object."""
    return {kind: tally(lines.filter(pc.equal(lines["kind"], kind))) for kind in KINDS}


def adds_up(counts: Mapping[str, int]) -> bool:
    """Whether each object that was counted came to one of the ends there are."""
    return counts["read"] == sum(counts[end] for end in ENDS)


def not_arrived(lines: pa.Table) -> pa.Table:
    """Return the rows of `LEDGER` that did not arrive: new ones first, in order.

    A first dry run has one for each object there is: too many to make objects of.
    """
    outcomes = [str(outcome) for outcome in (Outcome.REFUSED, Outcome.HELD, Outcome.MISSING)]
    which = pc.is_in(lines["outcome"], value_set=pa.array(outcomes))
    rows = lines.filter(which).select([field.name for field in fields(Refusal)])
    codes = pc.fill_null(rows["code"], "")
    rows = rows.set_column(rows.column_names.index("code"), "code", codes)
    return rows.sort_by([(name, "ascending") for name in ("known", "code", "kind", "uid")])


def refusals(lines: pa.Table, most: int | None = None) -> list[Refusal]:
    """Return what of ledger lines did not arrive, the first *most* of `not_arrived`."""
    return [Refusal(**row) for row in not_arrived(lines).slice(0, most).to_pylist()]
