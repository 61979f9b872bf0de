"""Reading a slice: who is in it, and batch by batch everything of its people or events."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from tracker_sync.reading.listed_children import CHILDREN, ListedChildren
from tracker_sync.reading.people import PEOPLE, Batches, Wanted, events_wanted, read_wanted
from tracker_sync.reading.probe import unknown_keys
from tracker_sync.reading.relations import may_be_related, once_each, relationships_wanted
from tracker_sync.route import Route
from tracker_sync.staging.sealed import check_seal
from tracker_sync.staging.tables import TABLES, Tables, flatten, flatten_events, living


PLAN_AGAIN = "clear `plan_slices` with all after it"

_ROWS_A_PART = 5_000  # of a listing, in memory at once


@dataclass(frozen=True, slots=True)
class Listed:
    """Who is to be read.

    Attributes:
        programs: Everybody -> the programs whose lists named them alive.
        unlisted: Those who are read for an open refusal only.
        children: What lists named alive below them.
    """

    programs: Mapping[str, tuple[str, ...]]
    unlisted: Collection[str]
    children: ListedChildren


def read_listed(listing: Path, slice_id: str) -> Listed:
    """Return who is in a slice, of the rows of `plan_slices.TO_READ`.

    Part by part, and equal programs as one object, since a listing may be long.

    Raises:
        BrokenSeal: The listing is not what `plan_slices` wrote.
    """
    check_seal(listing, PLAN_AGAIN)
    expected: dict[str, tuple[str, ...]] = {}
    unlisted: set[str] = set()
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    children: list[pa.RecordBatch] = []
    names = ("uid", "programs", "listed")
    with pq.ParquetFile(listing) as file:
        columns = ["slice", *names, *CHILDREN]
        # Sharing a part out among threads costs more than they save.
        for part in file.iter_batches(_ROWS_A_PART, columns=columns, use_threads=False):
            rows = part.filter(pc.equal(part["slice"], slice_id))
            for uid, programs, listed in zip(*(rows[n].to_pylist() for n in names), strict=True):
                expected[uid] = shared.setdefault(tuple(programs or ()), tuple(programs or ()))
                unlisted |= set() if listed else {uid}
            children.append(rows.select([*CHILDREN]))
    return Listed(expected, unlisted, ListedChildren([*expected], pa.Table.from_batches(children)))


@dataclass(slots=True)
class SliceReading:
    """One reading of a slice; what it found out is known once `tables` came to its end.

    Attributes:
        source: The server.
        route: The route.
        program: The program without registration whose events are read; empty for people.
        related: Programs, stages and types that a relationship type may join.
        absent: Those asked for who did not come.
        not_related: Those who were gone when their relationships were read, so that these
            are not known.
    """

    source: Dhis2Client
    route: Route
    program: str
    related: Collection[str]
    absent: set[str] = field(default_factory=set)
    not_related: set[str] = field(default_factory=set)
    _example: str = ""

    def tables(self, uids: Sequence[str]) -> Generator[Tables, None, None]:
        """Yield the tables of *uids*, a batch at a time, then those of their relationships.

        Raises:
            Dhis2Error: A request failed; nothing more is asked.
        """
        ends: list[str] = []
        with closing(self._read(self._wanted, uids)) as batches:
            for batch in batches:
                tables = self._flat(batch.rows)
                self.absent |= batch.absent
                self._example = self._example or next(iter(living(tables)), "")
                ends += may_be_related(tables, self.related)
                yield tables
        with closing(self._read(relationships_wanted(self.program), ends)) as batches:
            for table, absent in once_each(batches):
                self.not_related |= absent
                yield {**_NOTHING, "relationships": table}

    def unknown_keys(self) -> list[str]:
        """Return the keys that the source gives one living object, and that are not known."""
        return unknown_keys(self.source, self._wanted, self._example) if self._example else []

    @property
    def _wanted(self) -> Wanted:
        return events_wanted(self.program) if self.program else PEOPLE

    def _flat(self, rows: pa.StructArray) -> Tables:
        return flatten_events(rows) if self.program else flatten(rows, self.route.programs)

    def _read(self, wanted: Wanted, uids: Sequence[str]) -> Batches:
        pace = self.route.reading
        return read_wanted(self.source, wanted, uids, pace.at_once, pace.in_parallel)


_NOTHING: Tables = {name: schema.empty_table() for name, schema in TABLES.items()}
