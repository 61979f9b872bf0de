"""A request holds as much as the route allows and no more; people and lone events stay whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from builders import bundles, lone_bundles, lone_event, person
from tracker_sync.bundling.bundles import BUNDLES
from tracker_sync.loading.batches import EVENTS_A_PERSON, each_batch
from tracker_sync.planning.objects import trees_of
from tracker_sync.route import Batches
from tracker_sync.sending.batch_size import BatchSize
from tracker_sync.staging.package import Package, open_package, staged, writing_package


def package(folder: Path, *groups: pa.Table) -> Package:
    with writing_package(folder, {"bundles": BUNDLES}) as writer:
        for group in groups:
            writer.add({"bundles": group})
    return open_package(staged(folder))


def people(*numbers: int) -> pa.Table:
    return bundles(*(person(f"person{number:05}", enrollments=[]) for number in numbers))


def events(*numbers: int) -> pa.Table:
    return lone_bundles(*(lone_event(f"event{number:06}") for number in numbers))


def sizes(made: Package, limits: Batches) -> list[int]:
    return [len(batch) for batch in each_batch(made, limits)]


def test_a_batch_holds_so_many_people_whatever_was_read_at_once(tmp_path: Path) -> None:
    made = package(tmp_path, people(*range(5)), people(*range(5, 7)))

    batches = [*each_batch(made, Batches(tracked_entities=3))]

    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert [tree for batch in batches for tree in batch] == [*trees_of(people(*range(7)))]


def test_ten_lone_events_count_as_one_person(tmp_path: Path) -> None:
    made = package(tmp_path, events(*range(25)), events(*range(25, 50)))

    assert sizes(made, Batches(tracked_entities=2)) == [20, 20, 10]
    assert EVENTS_A_PERSON == 10


def test_lone_events_too_are_limited_by_their_bytes(tmp_path: Path) -> None:
    made = package(tmp_path, events(*range(6)))
    one = events(0)["bytes"].to_pylist()[0]

    assert sizes(made, Batches(megabytes=2.5 * one / 1_000_000)) == [2, 2, 2]


def test_what_is_larger_than_the_limit_is_a_batch_alone_and_whole(tmp_path: Path) -> None:
    made = package(tmp_path, people(1, 2))

    assert sizes(made, Batches(megabytes=0.000_001)) == [1, 1]


def test_the_last_batches_are_smaller_so_that_all_writers_end_at_about_the_same_time(
    tmp_path: Path,
) -> None:
    made = package(tmp_path / "people", people(*range(150)))
    alone = package(tmp_path / "events", events(*range(700)))

    of_two = sizes(made, Batches(tracked_entities=40, in_parallel=2))
    of_one = sizes(made, Batches(tracked_entities=40, in_parallel=1))
    of_events = sizes(alone, Batches(tracked_entities=40, in_parallel=2))

    assert of_two == [40, 40, 35, 18, 10, 7]
    assert of_one == [40, 40, 40, 30]
    assert of_events == [350, 180, 100, 70]


def test_nothing_staged_is_no_batch(tmp_path: Path) -> None:
    assert sizes(package(tmp_path, people()), Batches()) == []
    assert sizes(package(tmp_path / "none"), Batches()) == []


def test_the_next_batch_is_as_large_as_the_destination_takes_by_then(tmp_path: Path) -> None:
    made = package(tmp_path, people(*range(10)))
    size = BatchSize(most=4)

    batches = each_batch(made, Batches(), size)
    lengths = [len(next(batches))]
    size.was_too_much()
    lengths += map(len, batches)

    assert lengths == [4, 2, 2, 2]


def test_long_requests_make_batches_smaller_and_short_ones_larger_within_bounds() -> None:
    size = BatchSize()
    assert size.people == 100

    sizes = []
    for seconds in (1.0, 1.0, 1.0, 5.0, 20.0, 60.0):
        size.took(size.people, seconds)
        sizes.append(size.people)

    assert sizes == [150, 200, 200, 200, 50, 50]


def test_what_was_too_much_for_a_proxy_is_not_tried_again() -> None:
    size = BatchSize()
    size.was_too_much()
    size.was_too_much()
    size.took(size.people, 0.5)

    assert size.people == 25


def test_a_half_filled_request_says_nothing_of_a_full_one() -> None:
    size = BatchSize()
    size.took(10, 0.1)

    assert size.people == 100
