"""A request holds as much as the route allows and no more; people and lone events stay whole."""

from __future__ import annotations

from pathlib import Path

from builders import lone_event, lone_trees, person, trees
from tracker_sync.batches import EVENTS_A_PERSON, each_batch
from tracker_sync.bundles import BUNDLES, as_bundles
from tracker_sync.package import Package, open_package, staged, writing_package
from tracker_sync.route import Batches
from tracker_sync.trees import Tree


def package(folder: Path, *groups: list[Tree]) -> Package:
    with writing_package(folder, {"bundles": BUNDLES}) as writer:
        for group in groups:
            writer.add({"bundles": as_bundles(group)})
    return open_package(staged(folder))


def people(*numbers: int) -> list[Tree]:
    return trees(*(person(f"person{number:05}", enrollments=[]) for number in numbers))


def events(*numbers: int) -> list[Tree]:
    return lone_trees(*(lone_event(f"event{number:06}") for number in numbers))


def sizes(made: Package, limits: Batches) -> list[int]:
    return [len(batch) for batch in each_batch(made, limits)]


def test_a_batch_holds_so_many_people_whatever_was_read_at_once(tmp_path: Path) -> None:
    made = package(tmp_path, people(*range(5)), people(*range(5, 7)))

    batches = [*each_batch(made, Batches(tracked_entities=3))]

    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert [tree for batch in batches for tree in batch] == people(*range(7))


def test_ten_lone_events_count_as_one_person(tmp_path: Path) -> None:
    made = package(tmp_path, events(*range(25)), events(*range(25, 50)))

    assert sizes(made, Batches(tracked_entities=2)) == [20, 20, 10]
    assert EVENTS_A_PERSON == 10


def test_lone_events_too_are_limited_by_their_bytes(tmp_path: Path) -> None:
    made = package(tmp_path, events(*range(6)))
    one = as_bundles(events(0))["bytes"].to_pylist()[0]

    assert sizes(made, Batches(megabytes=2.5 * one / 1_000_000)) == [2, 2, 2]


def test_what_is_larger_than_the_limit_is_a_batch_alone_and_whole(tmp_path: Path) -> None:
    made = package(tmp_path, people(1, 2))

    assert sizes(made, Batches(megabytes=0.000_001)) == [1, 1]


def test_nothing_staged_is_no_batch(tmp_path: Path) -> None:
    assert sizes(package(tmp_path, people()), Batches()) == []
    assert sizes(package(tmp_path / "none"), Batches()) == []
