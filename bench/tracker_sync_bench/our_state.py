"""Our state: how the bench has one written, and folded for one slice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.state.compaction import compact
from tracker_sync.state.known import Page, recall, remember
from tracker_sync_bench.population import Maker
from tracker_sync_bench.work import Work


SLICES = 20
OBJECTS_A_NIGHT = 33_333
OBJECTS_A_PERSON = 10
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def write(work: Work) -> Callable[[], int]:
    """Write a state: a run for each night, with a file for each slice."""
    folder = Path(work.folder)
    maker = Maker(random.Random(9))

    def run() -> int:
        for night in range(_nights(work)):
            for number in range(SLICES):
                people = _people(work, night, number)
                at = _FIRST + timedelta(days=night)
                page = Page(folder, f"run-{night:02}", f"slice-{number:02}", night, at)
                entries = (entry for uid in people for entry in _entries(uid, maker))
                remember(page, entries, "model")
        return work.count

    return run


def fold(work: Work) -> Callable[[], int]:
    """Fold it for the people of one slice."""
    slice_number = SLICES // 2
    people = [uid for night in range(_nights(work)) for uid in _people(work, night, slice_number)]
    return lambda: len(recall(Path(work.folder), people, "run-next"))


def make_compact(work: Work) -> Callable[[], int]:
    """Make one page of all."""
    return lambda: compact(Path(work.folder)).kept


def _nights(work: Work) -> int:
    return max(1, round(work.count / OBJECTS_A_NIGHT))


def _people(work: Work, night: int, number: int) -> Iterator[str]:
    """Return the people whom a run met in a slice, always the same."""
    maker = Maker(random.Random(night * SLICES + number))
    count = work.count // (_nights(work) * SLICES * OBJECTS_A_PERSON)
    return islice(iter(maker.uid, ""), count)


def _entries(person: str, maker: Maker) -> Iterator[Entry]:
    yield _entry(Ref("TRACKED_ENTITY", person), person, maker)
    yield _entry(Ref("ENROLLMENT", maker.uid()), person, maker)
    for _ in range(OBJECTS_A_PERSON - 2):
        yield _entry(Ref("EVENT", maker.uid()), person, maker)


def _entry(ref: Ref, person: str, maker: Maker) -> Entry:
    return Entry(
        ref,
        person,
        Outcome.STORED,
        action="created",
        sent=True,
        updated_at=datetime(2026, 1, 1),  # noqa: DTZ001  # a server's stamp has no zone
        content_hash=f"{maker.chance.getrandbits(128):032x}",
    )
