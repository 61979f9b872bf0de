"""The demo's night edits and deletes every kind of thing, and both servers are equal after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.world import Ground, World, ground_of, world_on
from tracker_sync.route import Reading
from tracker_sync_demo.compare import compare
from tracker_sync_demo.whole_night import edit_everything


PROGRAMS = ("xsd8pFBm2w1", "m8nERzkN6j4", "pjYwBlP46Rf", "fAw4hObwxfo")


@pytest.fixture(scope="module")
def inhabited(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return ground_of(tmp_path_factory.mktemp("ground"), "2.42.4", inhabited=True)


@pytest.fixture
def demo(inhabited: Ground, tmp_path: Path) -> Iterator[World]:
    everybody = Reading(overlap_minutes=0, unenrolled=True)
    with world_on(inhabited, tmp_path, deletes="send", reading=everybody) as world:
        world.destination.forget_people()
        yield world


def test_a_night_of_every_kind_of_edit_and_deletion_ends_equal(demo: World) -> None:
    first = demo.run()
    edits = edit_everything(demo.source.client)

    run = demo.run()
    again = demo.run()

    assert first.totals["created"] > 1_000
    lines = run.ledger().to_pylist()
    for action in ("created", "changed", "deleted"):
        moved = {line["uid"] for line in lines if line["action"] == action}
        assert moved == getattr(edits, action), action
    assert run.refused.keys() == edits.refused
    assert again.sent == 0
    found = compare(demo.source.client, demo.destination.client, PROGRAMS)
    assert found.records > 1_000
    assert {uid for _, uid in found.differing} == edits.refused
    assert {key for key in demo.differing() if not set(key) & edits.refused} == set()
