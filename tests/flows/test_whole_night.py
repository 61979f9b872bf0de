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
    kinds = ("person", "enrollment", "event", "note", "file", "relationship", "owner")
    assert found.equal.keys() == {*kinds}
    assert {key for key in demo.differing() if not set(key) & edits.refused} == set()


def test_the_comparison_sees_what_of_notes_owners_relationships_and_files_differs(
    demo: World,
) -> None:
    edit_everything(demo.source.client)
    demo.run()
    before = compare(demo.source.client, demo.destination.client, PROGRAMS)
    there = demo.destination
    there.sql("DELETE FROM note WHERE uid = (SELECT max(uid) FROM note)")
    there.sql("UPDATE relationship SET deleted = 1 WHERE uid = (SELECT max(uid) FROM relationship)")
    there.sql(
        "UPDATE file_resource SET body = replace(body, 'contentMd5\": \"', 'contentMd5\": \"x')"
    )
    owners = [key for key in there.holds() if key[0] == "owner"]
    held = there.holds()
    elsewhere = next(held[key] for key in owners if held[key] != held[owners[0]])
    there.sql("UPDATE owner SET org_unit = ? WHERE entity = ?", elsewhere, owners[0][1])

    after = compare(demo.source.client, demo.destination.client, PROGRAMS)

    new = {kind for kind, _ in after.differing - before.differing}
    assert new == {"note", "relationship", "file", "owner"}
