"""Not happened: which values belong to events that DHIS2 lets have none."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.staging.tables import Tables


#: An event with one of these may have no values: E1315, on all four versions (recordings:
#: refused-E1315-values-on-scheduled, scenario-event-skipped-with-values; tracker-api 5).
NOT_HAPPENED = ("SCHEDULE", "OVERDUE", "SKIPPED")
_MOST_NAMED = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parted:
    """Values of events, in two parts.

    Attributes:
        kept: Those of events that took place.
        left_out: Those that no import takes: only old servers hold such.
    """

    kept: pa.Table
    left_out: pa.Table


def part(events: pa.Table, data_values: pa.Table) -> Parted:
    """Part `data_values` by whether their `events` took place.

    What has values for ever at an old server, and may have none anywhere else, must not be a
    difference for ever: so both servers are read through this.
    """
    planned = pc.is_in(events["status"], value_set=pa.array(NOT_HAPPENED, pa.string()))
    bare = _of(data_values, events["event"].filter(planned))
    if bare is None:
        return Parted(data_values, data_values.slice(0, 0))
    # An event that came twice, and took place by then, keeps its values.
    took_place = _of(data_values, events["event"].filter(pc.invert(planned)))
    if took_place is not None:
        bare = pc.and_not(bare, took_place)
    return Parted(data_values.filter(pc.invert(bare)), data_values.filter(bare))


@dataclass(slots=True)
class LeftOut:
    """What a slice's events lose, so that it is told: nobody else would miss it.

    Attributes:
        values: How many values that are not empty living events lose.
        events: Whose they are.
    """

    values: int = 0
    events: set[str] = field(default_factory=set)

    def of(self, tables: Tables) -> Tables:
        """Return staged tables without those values, and count them."""
        parted = part(tables["events"], tables["data_values"])
        if len(parted.left_out):
            self._count(parted.left_out, tables["events"])
        return {**tables, "data_values": parted.kept}

    def _count(self, lost: pa.Table, events: pa.Table) -> None:
        living = pc.invert(pc.fill_null(events["deleted"], fill_value=False))
        theirs = pc.is_in(lost["event"], value_set=events["event"].filter(living).combine_chunks())
        held = pc.greater(pc.fill_null(pc.binary_length(lost["value"]), 0), 0)
        rows = lost.filter(pc.and_(theirs, held))
        self.values += rows.num_rows
        self.events |= {*rows["event"].unique().to_pylist()}

    def say(self) -> None:
        """Name some of them in the log."""
        if self.events:
            named = ", ".join(sorted(self.events)[:_MOST_NAMED])
            text = "%s values of %s events that did not take place are not carried, e.g. of %s"
            _log.warning(text, self.values, len(self.events), named)


def _of(data_values: pa.Table, events: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return of each value whether one of *events* has it; nothing if no value is theirs."""
    if not len(events):
        return None
    theirs = pc.is_in(data_values["event"], value_set=events.combine_chunks())
    return theirs if pc.any(theirs).as_py() else None
