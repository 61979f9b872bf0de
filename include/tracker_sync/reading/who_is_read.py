"""Who is read: from the rows of lists to one row for each person, or event of nobody's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from dhis2_api.reading import read_by_uid
from tracker_sync.reading.listed_children import CHILDREN
from tracker_sync.reading.lists import RunLists
from tracker_sync.reading.selecting import subjects


# One row a person (`TRACKED_ENTITY`), or an event of a program without registration
# (`EVENT`, with that `program`). `org_unit` is empty where nobody knows it. `programs` are
# those whose lists named it alive; a read that shows no enrollment in one of them has lost
# something. `enrollments` and `events` are what lists named alive of a person, and must come
# with it. Not `listed` are those who are read for an open refusal only.
READ = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("program", pa.string()),
        ("org_unit", pa.string()),
        ("programs", pa.list_(pa.string())),
        ("listed", pa.bool_()),
        ("enrollments", pa.list_(pa.string())),
        ("events", pa.list_(pa.string())),
    ]
)
_Place = tuple[str, str | None]  # program, org unit
_ONLY_VALID = pc.CountOptions(mode="only_valid")
_NOTHING = pa.scalar(None, pa.string())


@dataclass(slots=True)
class WhoIsRead:
    """Everybody whom lists named, people after people, and at last whoever has an open refusal.

    Attributes:
        lists: The route's lists.
        refused: People, and events without registration with their program, whose refusal
            is open and whom no list has named so far. What is of a program that the route
            has no more stays open.
        only_from_children: People that only a list of enrollments or events named.
    """

    lists: RunLists
    refused: dict[Ref, str]
    only_from_children: int = 0

    def named(self, entering: pa.Table) -> pa.Table:
        """Return those whom lists named, each once, with the columns of `READ`.

        Args:
            entering: All rows of some people who are copied, as `listed_rows.LISTED`.
        """
        named = _named(entering, self.lists.scopes.types)
        self._leave_out(named["uid"])
        known, children = (
            named.filter(which) for which in (named["itself"], pc.invert(named["itself"]))
        )
        people = [Ref("TRACKED_ENTITY", uid) for uid in children["uid"].to_pylist()]
        self.only_from_children += len(people)
        places = _places(self.lists, dict.fromkeys(people, ""))
        org_units = pa.array([places[ref][1] for ref in people], pa.string())
        children = children.drop_columns("org_unit").append_column("org_unit", org_units)
        return pa.concat_tables([known.select(READ.names), children.select(READ.names)]).cast(READ)

    def with_open_refusals(self) -> pa.Table:
        """Return those of `refused` whom the source can be asked for, likewise."""
        places = _places(self.lists, self.refused)
        others = [_row(ref, places[ref]) for ref in sorted(self.refused) if ref in places]
        return pa.Table.from_pylist(others, READ)

    def _leave_out(self, listed: pa.ChunkedArray) -> None:
        uids = pa.array([ref.uid for ref in self.refused], pa.string())
        found = {*uids.filter(pc.is_in(uids, value_set=listed)).to_pylist()}
        self.refused = {ref: of for ref, of in self.refused.items() if ref.uid not in found}


def _named(entering: pa.Table, types: Collection[str]) -> pa.Table:
    """Return one row for each whom lists named, as `READ`, and whether one named it `itself`."""
    alone = pc.is_null(entering["tracked_entity"])
    itself = pc.or_(alone, pc.equal(entering["kind"], "trackedEntities"))
    by_type = pc.is_in(entering["scope"], value_set=pa.array(types, pa.string()))
    alive = pc.invert(pc.or_(entering["deleted"], by_type))
    rows = pa.table(
        {
            "kind": pc.if_else(alone, "EVENT", "TRACKED_ENTITY"),
            "uid": subjects(entering),
            "program": pc.if_else(alone, entering["scope"], ""),
            "org_unit": pc.if_else(itself, entering["org_unit"], _NOTHING),
            "programs": pc.if_else(alive, entering["scope"], _NOTHING),
            "itself": itself,
            **{name: _theirs(entering, name, pc.and_not(alive, alone)) for name in CHILDREN},
            "updated_at": entering["updated_at"],
        }
    ).sort_by([("programs", "ascending"), ("updated_at", "ascending")])
    return _each_once(rows)


def _theirs(entering: pa.Table, kind: str, which: pa.ChunkedArray) -> pa.ChunkedArray:
    of_kind = pc.and_(which, pc.equal(entering["kind"], kind))
    return pc.if_else(of_kind, entering["uid"], _NOTHING)


def _each_once(rows: pa.Table) -> pa.Table:
    keys = ["kind", "uid", "program"]
    distinct = ["programs", *CHILDREN]
    found = rows.group_by(keys, use_threads=False).aggregate(
        [
            *[("org_unit", "last"), ("itself", "any")],
            *[(name, "distinct", _ONLY_VALID) for name in distinct],
        ]
    )
    named = found.rename_columns([*keys, "org_unit", "itself", *distinct])
    return named.append_column("listed", pa.repeat(pa.scalar(value=True), len(named)))


def _places(lists: RunLists, refs: Mapping[Ref, str]) -> dict[Ref, _Place]:
    """Return program and org unit of each; events only where the route has their programs."""
    client = lists.source.client
    people = [ref.uid for ref in refs if ref.kind == "TRACKED_ENTITY"]
    found: dict[Ref, _Place] = dict.fromkeys(
        (Ref("TRACKED_ENTITY", uid) for uid in people), ("", "")
    )
    for row in read_by_uid(client, "trackedEntities", people, "trackedEntity,orgUnit"):
        found[Ref("TRACKED_ENTITY", row["trackedEntity"])] = ("", row.get("orgUnit"))
    for program in lists.scopes.event_programs:
        events = [ref.uid for ref, of in refs.items() if of == program]
        found |= {Ref("EVENT", uid): (program, "") for uid in events}  # if it does not come
        for row in read_by_uid(client, "events", events, "event,orgUnit", program=program):
            found[Ref("EVENT", row["event"])] = (program, row.get("orgUnit"))
    return found


def _row(ref: Ref, place: _Place) -> dict[str, object]:
    program, org_unit = place
    given = {"kind": ref.kind, "uid": ref.uid, "program": program, "org_unit": org_unit}
    return {**given, "programs": [], "listed": False, "enrollments": [], "events": []}
