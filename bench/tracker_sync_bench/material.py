"""The material: what the mock serves and the cases read, written once into a folder."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

from tracker_sync_bench.population import CLINICS, STAMP, Json, Maker, as_bytes, people
from tracker_sync_bench.work import Work


LISTED_A_PAGE = 5_000
PEOPLE_A_PAGE = 100

_OWN_KEYS = {"trackedEntities": "trackedEntity", "enrollments": "enrollment", "events": "event"}


class Named(NamedTuple):
    """Who stands in the lists: a person, one of its enrollments and one of its events."""

    person: str
    enrollment: str
    event: str


def write_people(work: Work) -> Callable[[], int]:
    """Write people, and the lists that name each of them three times."""

    def run() -> int:
        folder = Path(work.folder)
        places: list[tuple[str, int, int]] = []
        named: list[Named] = []
        with (folder / "people.json").open("wb") as file:
            for person in people(work.count):
                start = file.tell()
                file.write(as_bytes(person))
                places.append((person["trackedEntity"], start, file.tell()))
                named.append(_named(person))
        (folder / "places.json").write_text(json.dumps(places))
        _write_lists(folder, named)
        return places[-1][2]

    return run


def write_lists(work: Work) -> Callable[[], int]:
    """Write only the lists, of people whom nobody will read."""
    maker = Maker(random.Random(7))

    def run() -> int:
        named = [Named(maker.uid(), maker.uid(), maker.uid()) for _ in range(work.count)]
        _write_lists(Path(work.folder), named)
        return work.count * len(_OWN_KEYS)

    return run


def _named(person: Json) -> Named:
    enrollment = person["enrollments"][0]
    event = enrollment["events"][0]["event"]
    return Named(person["trackedEntity"], enrollment["enrollment"], event)


def _write_lists(folder: Path, named: Sequence[Named]) -> None:
    maker = Maker(random.Random(8))
    for place, kind in enumerate(_OWN_KEYS):
        for start in range(0, len(named), LISTED_A_PAGE):
            number = start // LISTED_A_PAGE + 1
            shown = named[start : start + LISTED_A_PAGE]
            rows = (as_bytes(_listed(kind, each[place], each.person, maker)) for each in shown)
            more = start + LISTED_A_PAGE < len(named)
            body = page_of(rows, kind, number, goes_on=more)
            (folder / f"{kind}-{number}.json").write_bytes(body)


def _listed(kind: str, own: str, person: str, maker: Maker) -> Json:
    stamp = STAMP.format(maker.chance.randrange(60), maker.chance.randrange(1000))
    where = {"orgUnit": maker.chance.choice(CLINICS)} if kind != "enrollments" else {}
    ours = {_OWN_KEYS[kind]: own, "trackedEntity": person}
    return {**ours, "updatedAt": stamp, **where, "deleted": False}


def page_of(rows: Iterable[bytes], kind: str, number: int, *, goes_on: bool) -> bytes:
    """Return one page of a list, as DHIS2 2.42 writes it."""
    pager: Json = {"page": number, "pageSize": LISTED_A_PAGE}
    if goes_on:
        pager["nextPage"] = f"http://dhis2.example/api/tracker/{kind}?page={number + 1}"
    head = b'{"pager":' + as_bytes(pager) + f',"{kind}":['.encode()
    return head + b",".join(rows) + b"]}"


@dataclass(frozen=True, slots=True)
class People:
    """The people of a folder, as they lie on the disk.

    Attributes:
        text: One after another, as JSON.
        places: UID -> where its text begins and ends.
        uids: Their UIDs, in the order of the pages.
    """

    text: mmap
    places: Mapping[str, tuple[int, int]]
    uids: Sequence[str]

    def by_uid(self, uids: Iterable[str]) -> bytes:
        """Return the answer to a request for these UIDs."""
        known = [uid for uid in uids if uid in self.places]
        return page_of(map(self._text, known), "trackedEntities", 1, goes_on=False)

    def page(self, number: int) -> bytes:
        """Return one page of all of them, counted from 1."""
        stop = number * PEOPLE_A_PAGE
        rows = map(self._text, self.uids[stop - PEOPLE_A_PAGE : stop])
        return page_of(rows, "trackedEntities", number, goes_on=stop < len(self.uids))

    def pages(self) -> Iterator[bytes]:
        """Yield all pages."""
        count = -(-len(self.uids) // PEOPLE_A_PAGE)
        return map(self.page, range(1, count + 1))

    def _text(self, uid: str) -> bytes:
        start, stop = self.places[uid]
        return self.text[start:stop]


def people_in(folder: Path) -> People:
    """Open the people of a folder."""
    with (folder / "people.json").open("rb") as file:
        text = mmap(file.fileno(), 0, access=ACCESS_READ)
    places = json.loads((folder / "places.json").read_text())
    return People(
        text, {uid: (start, stop) for uid, start, stop in places}, [uid for uid, _, _ in places]
    )
