"""What waits is what was seen deleted last, and one in a hundred of the scope may go at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.importer import Ref
from tracker_sync.deletions.policy import most_deletions
from tracker_sync.deletions.waiting import (
    ABOVE_CAP,
    HELD,
    Copied,
    Waiting,
    by_roots,
    copied_below,
    living_objects,
    waiting_deletions,
)
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.state.known import Page, remember
from tracker_sync.state.restamping import restamp


NOON = datetime(2026, 11, 24, 12)  # noqa: DTZ001 - a server's stamp has no zone
LATER = NOON + timedelta(hours=1)
AWA = Ref("TRACKED_ENTITY", "person00001")
CASE = Ref("EVENT", "event000001")


def line(ref: Ref = AWA, outcome: Outcome = Outcome.STORED, **more: Any) -> Entry:
    person = None if ref.kind == "EVENT" else ref.uid
    alive = {"content_hash": "c1"} if outcome in {Outcome.STORED, Outcome.UNCHANGED} else {}
    return Entry(ref, person, outcome, updated_at=NOON, **alive | more)


def held(ref: Ref = AWA, code: str = HELD) -> Entry:
    return line(ref, Outcome.HELD, code=code)


def know(folder: Path, read_number: int, *lines: Entry, program: str = "") -> None:
    page = Page(folder, "run", "slice", read_number, datetime.now(UTC), program)
    remember(page, lines, "model1")


def test_what_is_held_waits_until_something_newer_is_known_of_it(tmp_path: Path) -> None:
    know(tmp_path, 1, line())
    know(tmp_path, 2, held())
    know(tmp_path, 2, held(CASE, ABOVE_CAP), program="program0001")

    waiting = waiting_deletions(tmp_path)
    know(tmp_path, 3, line())

    assert waiting.keys() == {AWA, CASE}
    assert (waiting[AWA].tracked_entity, waiting[AWA].read_number) == (AWA.uid, 2)
    assert (waiting[CASE].program, waiting[CASE].tracked_entity) == ("program0001", None)
    assert waiting_deletions(tmp_path).keys() == {CASE}


def test_a_relationship_waits_for_its_own_phase(tmp_path: Path) -> None:
    know(tmp_path, 1, held(), held(Ref("RELATIONSHIP", "relation001")))

    assert waiting_deletions(tmp_path).keys() == {AWA}


def test_an_older_read_that_is_told_late_holds_nothing(tmp_path: Path) -> None:
    know(tmp_path, 3, line())
    know(tmp_path, 2, held())

    assert waiting_deletions(tmp_path) == {}


def test_what_this_run_deleted_is_told_again_unless_it_was_copied_since(tmp_path: Path) -> None:
    know(tmp_path, 2, line(action="deleted", content_hash=None))

    assert waiting_deletions(tmp_path) == {}
    assert waiting_deletions(tmp_path, {AWA}).keys() == {AWA}
    know(tmp_path, 3, line())
    assert waiting_deletions(tmp_path, {AWA}) == {}


def test_what_was_copied_is_known_by_its_last_version_that_lived(tmp_path: Path) -> None:
    know(tmp_path, 1, line(destination_updated_at=NOON), line(CASE))
    know(tmp_path, 2, held())

    found = copied_below(tmp_path, [AWA.uid], [CASE.uid])

    assert found == {AWA: Copied(1, NOON), CASE: Copied(1, None)}


def people(number: int, **more: Any) -> list[Entry]:
    refs = (Ref("TRACKED_ENTITY", f"person{index:05}") for index in range(number))
    return [line(ref, **more) for ref in refs]


def test_the_scope_is_what_lives_on_both_servers(tmp_path: Path) -> None:
    know(tmp_path, 1, *people(30))
    know(tmp_path, 2, *people(20), line(CASE, Outcome.REFUSED, code="E1125"))
    know(tmp_path, 3, *(held(entry.ref) for entry in people(5)))
    know(tmp_path, 3, line(Ref("NOTE", "note0000001")))

    assert living_objects(tmp_path) == 25


@pytest.mark.parametrize(("living", "most"), [(0, 100), (9_999, 100), (12_345, 123)])
def test_one_of_a_hundred_may_go_and_never_fewer_than_a_hundred(
    living: int, most: int, tmp_path: Path
) -> None:
    know(tmp_path, 1, *people(living))

    assert most_deletions(tmp_path, None) == most
    assert most_deletions(tmp_path, 0) == 0
    assert most_deletions(tmp_path, 5_000) == 5_000


def test_all_of_a_person_waits_together() -> None:
    own = [Ref("EVENT", f"event{index:06}") for index in range(7_000)]
    waiting = {ref: waits(f"person{index % 3_500:05}") for index, ref in enumerate(own)}

    parts = [*by_roots(waiting)]

    assert len(parts) == 2
    assert sum(map(len, parts)) == len(own)
    people = [{one.tracked_entity for one in part.values()} for part in parts]
    assert people[0].isdisjoint(people[1])


def waits(person: str) -> Waiting:
    return Waiting(person, "", 1, NOON)


class TestRestamping:
    def test_gives_the_last_line_the_stamp_that_our_own_write_made(self, tmp_path: Path) -> None:
        know(tmp_path, 1, line(destination_updated_at=NOON), line(CASE))

        assert restamp(tmp_path, "deletes", {AWA: (NOON, LATER)}) == 1

        found = copied_below(tmp_path, [AWA.uid], [CASE.uid])
        assert found == {AWA: Copied(1, LATER), CASE: Copied(1, None)}

    def test_gives_it_to_what_was_copied_too_where_a_deletion_is_held(self, tmp_path: Path) -> None:
        know(tmp_path, 1, line(destination_updated_at=NOON))
        know(tmp_path, 2, held().but(destination_updated_at=NOON))

        assert restamp(tmp_path, "deletes", {AWA: (NOON, LATER)}) == 2

        assert copied_below(tmp_path, [AWA.uid], []) == {AWA: Copied(1, LATER)}
        assert waiting_deletions(tmp_path)[AWA].read_number == 2

    def test_leaves_what_somebody_else_edited_before(self, tmp_path: Path) -> None:
        know(tmp_path, 1, line(destination_updated_at=NOON))
        edited = NOON + timedelta(minutes=1)

        assert restamp(tmp_path, "deletes", {AWA: (edited, LATER)}) == 0
        assert restamp(tmp_path, "deletes", {}) == 0

        assert copied_below(tmp_path, [AWA.uid], []) == {AWA: Copied(1, NOON)}
