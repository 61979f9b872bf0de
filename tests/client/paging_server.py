"""A small list on a socket, paged and changed as DHIS2 does: OFFSET over a moving order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from dhis2_api.dialects import Dialect, dialect_of
from scripted_server import Reply, Request, ScriptedServer, as_json, scripted


EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
Edit = tuple[Literal["change", "add", "delete"], int]


@dataclass
class Person:
    uid: str
    created: int
    updated: int
    hidden: bool = False  # taken away after the page was cut
    deleted: bool = False
    enrollments: int = 1


@dataclass
class Population:
    """People, and what happens to them between two requests; time is counted in seconds."""

    version: str
    people: list[Person]
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
        return as_json(self._page(request.query))

    def _edit(self) -> None:
        self.now += 1
        kind, which = next(self.edits, ("", 0))
        if kind == "add":
            self.people.append(Person(f"new{self.now:08}", self.now, self.now))
        elif kind and self.people:
            person = self.people[which % len(self.people)]
            person.updated = self.now
            person.deleted = person.deleted or kind == "delete"

    def _page(self, query: Any) -> dict[str, Any]:
        rows = self._ordered(query)
        number, size = int(query["page"]), int(query["pageSize"])
        cut = rows[(number - 1) * size : number * size]
        shown = [_row(person) for person in cut if not person.hidden]
        pager: dict[str, Any] = {"page": number, "pageSize": size}
        if query.get("totalPages") == "true":
            pager |= {"total": len(rows), "pageCount": -(-len(rows) // size)}
        if self.dialect.last_page == "named" and len(rows) > number * size:
            pager["nextPage"] = "http://dhis2.example/next"
        flat = pager if self.dialect.last_page == "counted" else {}
        around = {self.dialect.pager: pager} if self.dialect.pager else {}
        return {**around, **flat, (self.dialect.rows or "trackedEntities"): shown}

    def _ordered(self, query: Any) -> list[Person]:
        rows = [person for person in self.people if _within(person, query)]
        by, _, direction = query.get("order", "").partition(":")
        key = {"createdAt": "created", "updatedAt": "updated"}.get(by, "created")
        return sorted(
            rows, key=lambda row: (getattr(row, key), row.uid), reverse=direction != "asc"
        )


def _within(person: Person, query: Any) -> bool:
    if person.deleted and query.get("includeDeleted") != "true":
        return False
    at = EPOCH + timedelta(seconds=person.updated)
    after, before = query.get("updatedAfter"), query.get("updatedBefore")
    return (not after or at >= datetime.fromisoformat(after)) and (
        not before or at <= datetime.fromisoformat(before)
    )


def _row(person: Person) -> dict[str, Any]:
    at = EPOCH + timedelta(seconds=person.updated)
    stamp = at.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return {"trackedEntity": person.uid, "updatedAt": stamp, "deleted": person.deleted}


@contextmanager
def serving(
    version: str, people: Iterable[Person], edits: Iterable[Edit] = ()
) -> Iterator[tuple[ScriptedServer, Population]]:
    population = Population(version, list(people), iter(edits))
    with scripted(population.answer) as server:
        yield server, population
