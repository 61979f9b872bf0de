"""The cases: what is measured, in what size, and which bar each number must keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tracker_sync_bench.material import PEOPLE_A_PAGE
from tracker_sync_bench.processes import DidNotWork, measured, mock
from tracker_sync_bench.sizes import Sizes
from tracker_sync_bench.table import Row
from tracker_sync_bench.whole import WRITERS, long, whole
from tracker_sync_bench.work import Measured, Work


READERS = 4


Case = Callable[[Path, Sizes], Iterator[Row]]


def staging(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """Pages that are in memory become Parquet; no network."""
    work = Work(str(folder), count=sizes.staged)
    size = measured("material.write_people", work).done / sizes.staged / 1000
    ours, plain = _both("stage", work, sizes.times)
    yield Row(
        f"page bytes to Parquet, {size:.1f} KB a person: people a second and core",
        sizes.staged / ours.cpu,
        sizes.staged / plain.cpu,
        least=3_500,
    )


def memory(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """The step `extract` reads few people, then many, and needs the same memory."""
    small, large = sizes.read
    ours, plain = _read(folder / "small", small, sizes.times)
    yield Row(f"extract of {small:,} people: peak MB", ours.peak, plain.peak, most=600)
    our_peak, plain_peak = ours.peak, plain.peak
    ours, plain = _read(folder / "large", large, sizes.times)
    yield Row(f"extract of {large:,} people: peak MB", ours.peak, plain.peak, most=600)
    growth = f"the same: {large:,} people take so many times the memory of {small:,}"
    yield Row(growth, ours.peak / our_peak, plain.peak / plain_peak, most=1.15)
    yield Row(f"extract of {large:,} people: CPU seconds", ours.cpu, plain.cpu)


def reading(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """The step `extract` reads from a slow server, as fast as four readers may."""
    pages = sizes.delayed // PEOPLE_A_PAGE
    allowed = pages * sizes.seconds / READERS
    work = Work(str(folder), count=sizes.delayed)
    measured("material.write_people", work)
    with mock(folder, sizes.seconds) as server:
        work = replace(work, url=server.url)
        measured("our_reading.list_people", work)
        ours, plain = _both("read_people", work, sizes.times)
        most = server.most_in_flight()
    delays = f"{pages} pages of {PEOPLE_A_PAGE}, {sizes.seconds * 1000:.0f} ms each"
    share = 100 * allowed / ours.wall
    yield Row(
        f"extract of {delays}: % of what {READERS} readers may",
        share,
        100 * allowed / plain.wall,
        least=90,
    )
    yield Row("the same: most pages in flight", most, 1, most=READERS)


def transform(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """The step `transform` makes bundles of few people, then of many, in the same memory."""
    few, many = (_made(folder, count, sizes.times) for count in sizes.read)
    rate = many.done / many.cpu
    yield Row("transform, files to files: people a second and core", rate, least=6_000)
    yield Row(f"transform of {many.done:,} people: peak MB", many.peak, most=600)
    growth = f"the same: {many.done:,} people take so many times the memory of {few.done:,}"
    yield Row(growth, many.peak / few.peak, most=1.15)


def _made(folder: Path, count: int, times: int) -> Measured:
    work = Work(str(folder / str(count)), count=count)
    measured("our_transform.stage", work)
    return measured("our_transform.make_bundles", work, times=times)


def listing(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """The step `plan_slices` of a first run: three lists, each naming everybody."""
    work = Work(str(folder), count=sizes.listed)
    uids = measured("material.write_lists", work).done
    with mock(folder) as server:
        ours, plain = _both("list_people", replace(work, url=server.url), sizes.times)
    case = f"plan_slices, {uids:,} UIDs listed ({sizes.listed:,} people x 3 lists)"
    yield Row(f"{case}: CPU seconds", ours.cpu, plain.cpu, most=3)
    yield Row("the same: peak MB", ours.peak, plain.peak)


def state(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """What is known of one slice's people is folded out of all runs' files."""
    work = Work(str(folder), count=sizes.objects)
    measured("our_state.write", work)
    yield from _folded(work, sizes.times, f"state in {len([*folder.iterdir()])} pages")
    compacted = measured("our_state.make_compact", work)
    yield Row(f"compacting these {compacted.done:,} objects: CPU seconds", compacted.cpu)
    yield Row("the same: peak MB", compacted.peak)
    yield from _folded(work, sizes.times, "state compacted")


def _folded(work: Work, times: int, state: str) -> Iterator[Row]:
    folded = measured("our_state.fold", work, times=times)
    case = f"{state}, folded for {folded.done:,} of {work.count:,} objects"
    yield Row(f"{case}: CPU seconds", folded.cpu, most=1)
    yield Row("the same: peak MB", folded.peak, most=300)


def loading(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """The step `load`: into an empty destination, then compared with one that has everybody."""
    work = Work(str(folder), count=sizes.loaded)
    measured("our_transform.stage", work)
    measured("our_transform.make_bundles", work)
    empty = _loaded(work, folder, sizes.times)
    what = f"load of {work.count:,} people"
    yield Row(
        f"{what} into an empty destination: people a second and core",
        work.count / empty.cpu,
        least=2_000,
    )
    yield Row("the same: peak MB", empty.peak, most=600)
    for seconds, least in ((sizes.import_seconds, 90), (sizes.seconds, None)):
        slow = _loaded(work, folder, 1, seconds)
        share = 100 * work.count / PEOPLE_A_PAGE * seconds / WRITERS / slow.wall
        delays = f"{seconds * 1000:,.0f} ms an import of {PEOPLE_A_PAGE}"
        yield Row(f"{what}, {delays}: % of what {WRITERS} writers may", share, least=least)
    measured("material.write_people", work)
    same = _loaded(work, folder, sizes.times)
    yield Row(
        f"{what}, each compared with the same: people a second and core",
        work.count / same.cpu,
        least=1_200,
    )


def _loaded(work: Work, folder: Path, times: int, seconds: float = 0) -> Measured:
    runs = []
    for _ in range(times):
        with mock(folder, seconds, "mock_destination") as server:
            runs.append(measured("our_loading.bring", replace(work, url=server.url)))
    if {run.done for run in runs} != {work.count}:
        raise DidNotWork("not everybody was brought")
    return sorted(runs, key=lambda run: run.cpu)[len(runs) // 2]


CASES: dict[str, Case] = {
    "staging": staging,
    "memory": memory,
    "reading": reading,
    "transform": transform,
    "loading": loading,
    "whole": whole,
    "listing": listing,
    "state": state,
}

#: Those that take so long that they are measured only when they are asked for.
ON_DEMAND: dict[str, Case] = {"long": long}


def _read(folder: Path, count: int, times: int) -> tuple[Measured, Measured]:
    folder.mkdir(parents=True)
    work = Work(str(folder), count=count)
    measured("material.write_people", work)
    with mock(folder) as server:
        work = replace(work, url=server.url)
        measured("our_reading.list_people", work)
        return _both("read_people", work, times)


def _both(job: str, work: Work, times: int) -> tuple[Measured, Measured]:
    ours = measured(f"our_reading.{job}", work, times=times)
    plain = measured(f"plain_reader.{job}", work)
    if ours.done != plain.done:
        raise DidNotWork(f"{job}: ours did {ours.done}, the plain script {plain.done}")
    return ours, plain
