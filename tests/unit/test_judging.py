"""Nobody who lives at the source is deleted, and nothing goes along that was not copied."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from dhis2_api.importer import Ref
from tracker_sync.deletions.judging import ALIVE_AGAIN, Judged, Scene, judge
from tracker_sync.deletions.standing import Found
from tracker_sync.deletions.waiting import EDITED, MORE_BELOW, Copied, Waiting
from tracker_sync.relationships.hanging import Link


WRITTEN, EDITED_AT = datetime(2026, 11, 24, 12), datetime(2026, 11, 24, 13)  # noqa: DTZ001 - zone-less
PERSON = Ref("TRACKED_ENTITY", "person00001")
COURSES = [Ref("ENROLLMENT", f"enrollment{i}") for i in range(2)]
EVENTS = [Ref("EVENT", f"event00000{i}") for i in range(4)]
LONE = Ref("EVENT", "loneEvent01")
PARENTS: dict[Ref, Ref | None] = {
    PERSON: None,
    **dict.fromkeys(COURSES, PERSON),
    EVENTS[0]: COURSES[0],
    EVENTS[1]: COURSES[0],
    EVENTS[2]: COURSES[1],
    EVENTS[3]: COURSES[1],
    LONE: None,
}
TREE = [*PARENTS]


def found(ref: Ref, *, deleted: bool = False, at: datetime = WRITTEN) -> Found:
    return Found(PARENTS[ref], at, deleted)


def waits(*refs: Ref, read_number: int = 5) -> dict[Ref, Waiting]:
    return {ref: Waiting(PERSON.uid, "", read_number, WRITTEN) for ref in refs}


def copied(*refs: Ref, read_number: int = 3) -> dict[Ref, Copied]:
    return {ref: Copied(read_number, WRITTEN) for ref in refs}


def there(*refs: Ref) -> dict[Ref, Found]:
    return {ref: found(ref) for ref in refs}


def buried(*refs: Ref) -> dict[Ref, Found]:
    return {ref: found(ref, deleted=True) for ref in refs}


def test_what_lives_at_the_source_again_stays() -> None:
    scene = Scene(waits(*TREE), there(*TREE), there(*TREE), copied(*TREE))

    judged = judge(scene)

    assert judged.going == judged.gone == {}
    assert {code for _, code in judged.stays.values()} == {ALIVE_AGAIN}


def test_what_the_source_has_purged_goes_if_it_was_seen_deleted() -> None:
    judged = judge(Scene(waits(*TREE), {}, there(*TREE), copied(*TREE)))

    assert judged.going.keys() == set(TREE)


def test_children_that_no_tombstone_names_go_with_their_person() -> None:
    judged = judge(Scene(waits(PERSON), buried(PERSON), there(*TREE), copied(*TREE)))

    assert judged.going.keys() == set(TREE) - {LONE}


def test_a_child_that_was_read_after_its_person_was_deleted_holds_it() -> None:
    known = copied(*TREE) | copied(EVENTS[0], read_number=6)

    judged = judge(Scene(waits(PERSON), buried(PERSON), there(*TREE), known))

    assert judged.stays.keys() == {PERSON, COURSES[0]}
    assert EVENTS[0] not in judged.going


def test_what_was_edited_at_the_destination_stays_with_all_above_it_if_the_route_says_so() -> None:
    edited = there(*TREE) | {EVENTS[3]: found(EVENTS[3], at=EDITED_AT)}
    scene = Scene(waits(*TREE), buried(*TREE), edited, copied(*TREE))

    anyway, kept = judge(scene), judge(keeping(scene))

    assert anyway.going.keys() == set(TREE)
    assert {ref: code for ref, (_, code) in kept.stays.items()} == {
        EVENTS[3]: EDITED,
        COURSES[1]: MORE_BELOW,
        PERSON: MORE_BELOW,
    }


def keeping(scene: Scene) -> Scene:
    return Scene(scene.waiting, scene.source, scene.destination, scene.copied, keep_edits=True)


class TestARelationship:
    def test_from_the_source_goes_with_either_end(self) -> None:
        scene = Scene(waits(PERSON), buried(PERSON), there(PERSON), copied(PERSON), links(3))

        judged = judge(scene)

        assert judged.going.keys() == {PERSON, LINK}
        assert judged.going[LINK].read_number == 5
        assert judge(replace(scene, links=links(8))).going[LINK].read_number == 8

    def test_that_never_came_from_the_source_holds_its_ends(self) -> None:
        scene = Scene(waits(*TREE), buried(*TREE), there(*TREE), copied(*TREE), links(None))

        judged = judge(scene)

        assert judged.going.keys() == set(TREE) - {PERSON}
        assert {code for _, code in judged.stays.values()} == {MORE_BELOW}

    def test_is_no_work_once_it_is_gone_and_work_while_it_is_there(self) -> None:
        gone = judge(Scene(waits(LINK), {}, {}, {}))
        still = judge(Scene(waits(LINK), {}, {}, {}, links(3)))

        assert gone.gone.keys() == still.going.keys() == {LINK}


LINK, OTHER = Ref("RELATIONSHIP", "relation001"), Ref("TRACKED_ENTITY", "person00002")


def links(read_number: int | None) -> dict[Ref, Link]:
    return {LINK: Link(LINK, LINK.uid, (PERSON, OTHER), read_number)}


some = st.sets(st.sampled_from(TREE))


@st.composite
def servers(draw: st.DrawFn) -> dict[Ref, Found]:
    """What a server may say: nothing lives below something that is deleted or not there."""
    standing: dict[Ref, Found] = {}
    for ref, parent in PARENTS.items():
        above = standing.get(parent) if parent else None
        if (parent and above is None) or draw(st.integers(0, 4)) == 0:
            continue
        dead = draw(st.booleans()) or bool(above and above.deleted)
        at = draw(st.sampled_from([WRITTEN, EDITED_AT]))
        standing[ref] = found(ref, deleted=dead, at=at)
    return standing


@given(servers(), servers(), some, some, st.booleans())
def test_whatever_the_servers_say(
    source: dict[Ref, Found],
    destination: dict[Ref, Found],
    waiting: set[Ref],
    known: set[Ref],
    keep: bool,  # noqa: FBT001 - drawn
) -> None:
    scene = Scene(waits(*waiting), source, destination, copied(*known), keep_edits=keep)

    judged = judge(scene)

    assert judged.going.keys() <= waiting | known
    for ref in judged.going:
        assert not lives(source, ref)
        assert lives(destination, ref)
        assert {child for child in TREE if lives(destination, child) and ref in above(child)} <= {
            *judged.going
        }
    told = [*judged.going, *judged.gone, *judged.stays]
    assert len(told) == len(set(told))
    assert waiting <= set(told)
    assert all(ref in waiting | known for ref in judged.stays)
    assert judge(after_deletion(scene, judged)).going == {}


def lives(standing: dict[Ref, Found], ref: Ref) -> bool:
    return ref in standing and not standing[ref].deleted


def above(ref: Ref) -> set[Ref]:
    parent = PARENTS[ref]
    return {parent} | above(parent) if parent else set()


def after_deletion(scene: Scene, judged: Judged) -> Scene:
    """Return what a second run would see."""
    now = {
        ref: found(ref, deleted=there.deleted or ref in judged.going, at=there.updated_at)
        for ref, there in scene.destination.items()
    }
    return Scene(scene.waiting, scene.source, now, scene.copied, keep_edits=scene.keep_edits)
