"""The checkpoint: the watermarks as the destination keeps them beside its own data.

A destination that is restored from a backup brings its older checkpoint back, so that what
it lost is read again. What both sides do not have counts as nothing: a baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import keep_value, read_value
from tracker_sync.windows.clocks import TOLERATED
from tracker_sync.windows.watermark import NoWatermarks, as_instants, as_texts, moved
from tracker_sync.windows.window import Window


NAMESPACE = "tracker-sync"

Marks = Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class BothSides:
    """The watermarks of a route, by key, as each side keeps them.

    Attributes:
        airflow: In Airflow's asset state store.
        destination: In the destination's data store.
    """

    airflow: Marks
    destination: Marks

    def agreed(self) -> dict[str, datetime]:
        """Return the earlier of the two for each key that both sides have."""
        keys = self.airflow.keys() & self.destination.keys()
        return {key: min(self.airflow[key], self.destination[key]) for key in sorted(keys)}

    def moved(self, accounted: Mapping[str, Window]) -> BothSides:
        """Return both sides as they are once windows are accounted for; see `watermark.moved`."""
        after = moved(self.agreed(), accounted)
        return BothSides(_at_least(self.airflow, after), _at_least(self.destination, after))

    def none_after(self, now: datetime) -> BothSides:
        """Return both sides without a watermark in the future.

        If the source's clock was set back, what was stamped since then lies before the
        watermark and nobody read it. So the watermark is dropped; but not for minutes, which
        the read begins earlier by (`Clocks.fallen_until`).
        """
        return BothSides(_past(self.airflow, now), _past(self.destination, now))

    def drawn_back(self, by: timedelta, before: BothSides) -> BothSides:
        """Return both sides after the source's clock fell, as far as no run has read over that.

        Args:
            by: How far it fell.
            before: Both sides before a run moved some; the others are drawn back.
        """
        return BothSides(
            _drawn_back(self.airflow, by, before.airflow),
            _drawn_back(self.destination, by, before.destination),
        )

    def finding(self, key: str) -> str:
        """Say what the two sides know of a key, and what it means where they disagree."""
        here, there = self.airflow.get(key), self.destination.get(key)
        if here and there:
            return _AGREE if here == there else _EARLIER.format(min(here, there).isoformat())
        if here:
            return _DESTINATION_LACKS
        return _AIRFLOW_LACKS if there else _NEITHER


_AGREE = "both sides keep the same watermark"
_EARLIER = (
    "Airflow and the destination keep different watermarks, as after a restored backup or a "
    "failed settle; the earlier one holds, {}"
)
_DESTINATION_LACKS = (
    "the destination lacks the watermark that Airflow keeps, as after a restored backup: "
    "a run without dates of its own reads everything"
)
_AIRFLOW_LACKS = (
    "Airflow lacks the watermark that the destination keeps, as with a new database of Airflow: "
    "a run without dates of its own reads everything, unless the watermark is imported"
)
_NEITHER = "no watermark yet: a run without dates of its own reads everything"


def _past(marks: Marks, now: datetime) -> dict[str, datetime]:
    known = {key: mark for key, mark in marks.items() if mark - now <= TOLERATED}
    return {key: min(mark, now) for key, mark in known.items()}


def _drawn_back(marks: Marks, by: timedelta, before: Marks) -> dict[str, datetime]:
    return {key: mark - by if mark == before.get(key) else mark for key, mark in marks.items()}


def _at_least(marks: Marks, after: Marks) -> dict[str, datetime]:
    return {**marks, **{key: max(marks.get(key, mark), mark) for key, mark in after.items()}}


def read_checkpoint(client: Dhis2Client, route: str) -> dict[str, datetime]:
    """Return the watermarks that the destination keeps of a route, by key.

    Raises:
        NoWatermarks: What it keeps are none.
    """
    try:
        return as_instants(read_value(client, NAMESPACE, _key(route)) or {})
    except ValueError as error:
        where = f"{client.name}: the data store's key `{_key(route)}` in `{NAMESPACE}`"
        raise NoWatermarks.of(where, error) from None


def write_checkpoint(client: Dhis2Client, route: str, marks: Marks) -> None:
    """Let the destination keep the watermarks of a route."""
    keep_value(client, NAMESPACE, _key(route), as_texts(marks))


def _key(route: str) -> str:
    return f"watermarks-{route}"
