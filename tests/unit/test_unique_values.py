"""Of people with one unique value only the first who comes is sent; the others wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from builders import CLINIC, MODEL, NATIONAL_ID, enrollment, person, staged
from tracker_sync.bundling.projection import Projection
from tracker_sync.planning.objects import Tree, as_bundles, trees_of
from tracker_sync.second_pass.unique_values import UniqueValues, unique_digests


UNIQUE = replace(MODEL, unique={NATIONAL_ID: False})
IN_AN_ORG_UNIT = replace(MODEL, unique={NATIONAL_ID: True})
FIRST, SECOND, THIRD = "person00001", "person00002", "person00003"


def tree(uid: str, national_id: str | None, org_unit: str = CLINIC) -> Tree:
    rows = [{"attribute": NATIONAL_ID, "value": national_id}] if national_id else []
    below = [enrollment(f"enroll{uid[6:]}", attributes=rows, events=[])]
    tables = staged(person(uid, enrollments=below, orgUnit=org_unit))
    (only,) = trees_of(as_bundles(tables, Projection.of(MODEL)))
    return only


@pytest.fixture
def run(tmp_path: Path) -> UniqueValues:
    return UniqueValues(tmp_path / "run" / "unique.sqlite", UNIQUE)


def test_who_comes_second_with_a_value_waits_also_in_another_batch(run: UniqueValues) -> None:
    assert run.waiting([tree(FIRST, "7"), tree(SECOND, "8")]) == frozenset()

    assert run.waiting([tree(THIRD, "7")]) == {THIRD}
    assert run.shared() == [frozenset({FIRST, THIRD})]


def test_of_two_in_one_batch_the_second_waits(run: UniqueValues) -> None:
    assert run.waiting([tree(FIRST, "7"), tree(SECOND, "7")]) == {SECOND}


def test_a_load_that_is_repeated_lets_the_same_ones_go(run: UniqueValues) -> None:
    batch = [tree(FIRST, "7"), tree(SECOND, "7")]

    assert run.waiting(batch) == run.waiting(batch) == {SECOND}


def test_nobody_waits_for_a_value_that_is_empty_or_of_nobody_else(run: UniqueValues) -> None:
    assert run.waiting([tree(FIRST, None), tree(SECOND, None), tree(THIRD, "7")]) == frozenset()
    assert run.shared() == []


def test_a_value_that_is_unique_in_an_org_unit_is_shared_in_it_alone(tmp_path: Path) -> None:
    run = UniqueValues(tmp_path / "unique.sqlite", IN_AN_ORG_UNIT)

    assert run.waiting([tree(FIRST, "7"), tree(SECOND, "7", "elsewhere01")]) == frozenset()
    assert run.waiting([tree(THIRD, "7")]) == {THIRD}


def test_without_unique_attributes_nothing_is_written(tmp_path: Path) -> None:
    run = UniqueValues(tmp_path / "unique.sqlite", MODEL)

    assert run.waiting([tree(FIRST, "7"), tree(SECOND, "7")]) == frozenset()
    assert not run.path.exists()
    assert run.shared() == []


def test_slices_that_load_at_once_never_both_let_one_value_go(run: UniqueValues) -> None:
    people = [tree(f"person{index:05}", "7") for index in range(12)]

    with ThreadPoolExecutor(4) as slices:
        waiting = [*slices.map(lambda one: run.waiting([one]), people)]

    assert sum(not late for late in waiting) == 1


def test_the_database_holds_no_value_and_is_readable_by_us_alone(run: UniqueValues) -> None:
    run.waiting([tree(FIRST, "canary-90210729"), tree(SECOND, "canary-90210729")])

    assert b"canary" not in run.path.read_bytes()
    assert run.path.stat().st_mode & 0o077 == 0


def test_the_same_value_has_another_digest_in_another_run() -> None:
    one = tree(FIRST, "7")

    digests = [unique_digests(one, UNIQUE, key) for key in (b"a" * 32, b"b" * 32)]

    assert all(digests)
    assert not digests[0].keys() & digests[1].keys()
    assert set(digests[0].values()) == {NATIONAL_ID}
