"""The whole way: cases in which people are read, made into bundles and loaded at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tracker_sync_bench.material import PEOPLE_A_PAGE
from tracker_sync_bench.processes import DidNotWork, measured, mock
from tracker_sync_bench.sizes import Sizes
from tracker_sync_bench.table import Row
from tracker_sync_bench.work import Measured, Work


WRITERS = 4


def whole(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """Extract beside load, of slow servers as fast as four writers may; then as routes go."""
    work = Work(str(folder), count=sizes.brought)
    few = replace(work, count=sizes.brought // 10)
    measured("material.write_people", work)
    delays = (sizes.seconds, sizes.import_seconds)
    ours, plain = (
        _brought("our_pipeline.bring", work, delays),
        _brought("plain_loader.bring", few, delays),
    )
    what = f"{work.count:,} people read and loaded"
    slow = f"{what}, {delays[0] * 1000:.0f} and {delays[1] * 1000:,.0f} ms for {PEOPLE_A_PAGE}"
    share = f"{slow}: % of what {WRITERS} writers may"
    yield Row(share, _share(sizes, ours), _share(sizes, plain), least=90)
    rate = "the same: people a second and core, of reading, bundles and load"
    yield Row(rate, ours.done / ours.cpu, plain.done / plain.cpu)
    yield Row("the same: peak MB", ours.peak, plain.peak, most=600)
    yield from _for_the_processor(folder, sizes, work)


def _for_the_processor(folder: Path, sizes: Sizes, work: Work) -> Iterator[Row]:
    """Bring everybody as fast as a core can, as a route goes that says nothing of batches.

    The fastest run counts: neighbours on the same processor can only add to a second of it.
    """
    runs = [_brought("our_pipeline.bring_unsaid", work, (0, 0)) for _ in range(sizes.times)]
    one = "as a route that says nothing, no delays, one process: people a second and core"
    yield Row(one, max(run.done / run.cpu for run in runs), least=2_000)
    steps = [_by_step(folder / f"steps-{number}", work.count) for number in range(sizes.times)]
    each = "the same, each step in a process of its own: people a second and core"
    yield Row(each, max(_rate(step, work.count) for step in steps), least=2_000)


_STEPS = {
    "plan_slices": "our_steps.plan",
    "extract": "our_steps.read",
    "transform": "our_steps.make_bundles",
    "load": "our_steps.bring",
}
_OF_A_SLICE = ("extract", "transform", "load")


def long(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """Each step of few people, then of many, in the same memory."""
    few, many = (_by_step(folder / str(count), count) for count in sizes.long)
    less, more = sizes.long
    for step, done in many.items():
        yield Row(f"{step} of {more:,} people in slices: peak MB", done.peak, most=600)
        growth = f"the same: {more:,} people take so many times the memory of {less:,}"
        yield Row(growth, done.peak / few[step].peak, most=1.15)


def _by_step(folder: Path, count: int) -> dict[str, Measured]:
    """Return what each step takes, each in a process of its own; the largest slice's beyond."""
    folder.mkdir(parents=True)
    work = Work(str(folder), count=count)
    measured("material.write_people", work)
    with mock(folder) as source, mock(folder / "nobody", 0, "mock_destination") as there:
        work = replace(work, url=source.url, to=there.url)
        done = {step: measured(job, work) for step, job in _STEPS.items()}
    if len({each.done for each in done.values()}) > 1:
        raise DidNotWork("not everybody of the largest slice was brought")
    return done


def _rate(steps: Mapping[str, Measured], everybody: int) -> float:
    """Return how many people a core brings in a second: all are planned, a slice is brought."""
    a_person = steps["plan_slices"].cpu / everybody
    return 1 / (a_person + sum(steps[name].cpu / steps[name].done for name in _OF_A_SLICE))


def _brought(by: str, work: Work, delays: tuple[float, float]) -> Measured:
    people = Path(work.folder)
    nobody = people / "nobody"
    with mock(people, delays[0]) as source, mock(nobody, delays[1], "mock_destination") as there:
        done = measured(by, replace(work, url=source.url, to=there.url))
    if done.done != work.count:
        raise DidNotWork(f"{by} brought {done.done} of {work.count}")
    return done


def _share(sizes: Sizes, brought: Measured) -> float:
    """Return how much of what the servers allow was reached, in percent."""
    a_page = max(sizes.seconds, sizes.import_seconds) / WRITERS
    return 100 * brought.done / PEOPLE_A_PAGE * a_page / brought.wall
