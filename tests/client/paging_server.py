"""A small list on a socket, paged and changed as DHIS2 does: OFFSET over a moving order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from dhis2_api.dialects import Dialect, dialect_of
from dhis2_api.fields import UID_KEYS
from scripted_server import Reply, Request, ScriptedServer, as_json, scripted


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
EditKind = Literal["wait", "change", "add", "delete", "complete", "reopen"]
Edit = tuple[EditKind, int]


@dataclass
class Record:
    """A person, an enrollment or an event: whatever the list asked for holds."""

    uid: str
    created: int
    updated: int
    hidden: bool = False  # taken away after the page was cut
    deleted: bool = False
    status: str = "ACTIVE"


@dataclass
class Population:
    """Records, and what happens to them between two requests; time is counted in seconds."""

    version: str
    records: list[Record]
    edits: Iterator[Edit]
    now: int = 1000
    asked: list[str] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        return dialect_of(self.version)

    def answer(self, request: Request) -> Reply:
        if request.path == "/api/system/info":
            return as_json({"version": self.version})
        if self.asked:
            self._edit()
        self.asked.append(request.path)
        return as_json(self._page(request.path.rpartition("/")[2], request.query))

    def _edit(self) -> None:
        self.now += 1
        kind, which = next(self.edits, ("wait", 0))
        if kind == "add":
            self.records.append(Record(f"new{self.now:08}", self.now, self.now))
        elif kind != "wait" and self.records:
            record = self.records[which % len(self.records)]
            record.updated = self.now
            record.deleted = record.deleted or kind == "delete"
            record.status = _STATUS.get(kind, record.status)

    def _page(self, kind: str, query: Any) -> dict[str, Any]:
        rows = self._ordered(query)
        number, size = int(query["page"]), int(query["pageSize"])
        cut = rows[(number - 1) * size : number * size]
        shown = [_row(record, kind) for record in cut if not record.hidden]
        pager: dict[str, Any] = {"page": number, "pageSize": size}
        if query.get("totalPages") == "true":
            pager |= {"total": len(rows), "pageCount": -(-len(rows) // size)}
        if self.dialect.last_page == "named" and len(rows) > number * size:
            pager["nextPage"] = "http://dhis2.example/next"
        flat = pager if self.dialect.last_page == "counted" else {}
        around = {self.dialect.pager: pager} if self.dialect.pager else {}
        return {**around, **flat, (self.dialect.rows or kind): shown}

    def _ordered(self, query: Any) -> list[Record]:
        rows = [record for record in self.records if _within(record, query)]
        by, _, direction = query.get("order", "").partition(":")
        key = {"createdAt": "created", "updatedAt": "updated"}.get(by, "created")
        return sorted(
            rows, key=lambda row: (getattr(row, key), row.uid), reverse=direction != "asc"
        )


_STATUS = {"complete": "COMPLETED", "reopen": "ACTIVE"}
_STATUS_ASKED = ("status", "programStatus", "enrollmentStatus")


def _within(record: Record, query: Any) -> bool:
    if record.deleted and query.get("includeDeleted") != "true":
        return False
    if any(query.get(name, record.status) != record.status for name in _STATUS_ASKED):
        return False
    at = EPOCH + timedelta(seconds=record.updated)
    after, before = query.get("updatedAfter"), query.get("updatedBefore")
    return (not after or at >= datetime.fromisoformat(after)) and (
        not before or at <= datetime.fromisoformat(before)
    )


def _row(record: Record, kind: str) -> dict[str, Any]:
    at = EPOCH + timedelta(seconds=record.updated)
    stamp = at.replace(tzinfo=None).isoformat(timespec="milliseconds")
    key = next(key for listed, key in UID_KEYS.items() if listed == kind)
    return {
        "trackedEntity": f"of{record.uid}",
        key: record.uid,
        "orgUnit": "country0001",
        "updatedAt": stamp,
        "deleted": record.deleted,
        "status": record.status,
        "enrollments": [{"status": record.status}],
    }


@contextmanager
def serving(
    version: str, records: Iterable[Record], edits: Iterable[Edit] = ()
) -> Iterator[tuple[ScriptedServer, Population]]:
    population = Population(version, list(records), iter(edits))
    with scripted(population.answer) as server:
        yield server, population
