"""Only what differs is sent, and whatever is not has its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    MODEL,
    NAME,
    NATIONAL_ID,
    NOTE,
    SURVEILLANCE,
    WEIGHT,
    enrollment,
    event,
    lone_event,
    lone_trees,
    tree,
)
from dhis2_api.importer import ImportReport, Ref
from tracker_sync.ledger import as_entries, as_table, of_batch
from tracker_sync.loading.intending import on_their_way
from tracker_sync.outcome import Outcome, stored, with_stamp
from tracker_sync.planning.objects import Tree
from tracker_sync.planning.plan import Known, Past, Planned, plan
from tracker_sync.sending.delivery import account, refused
from tracker_sync.sending.destination import Edits


PERSON = Ref("TRACKED_ENTITY", "person00001")
ENROLLMENT = Ref("ENROLLMENT", "enroll00001")
EVENT = Ref("EVENT", "event000001")
READ = 7
BEFORE = READ - 1
NOTHING_KNOWN = Past({}, READ, MODEL)


def with_event(**changes: Any) -> Tree:
    return tree(enrollments=[enrollment(events=[event(**changes)])])


def alone(**changes: Any) -> Tree:
    (only,) = lone_trees(lone_event(**changes))
    return only


def by_ref(planned: list[Planned]) -> dict[Ref, Planned]:
    assert planned
    found = {item.entry.ref: item for item in planned}
    assert len(found) == len(planned)
    return found


def sent(planned: list[Planned]) -> set[Ref]:
    return {item.entry.ref for item in planned if item.payload is not None}


def test_what_the_destination_lacks_is_created_parents_first() -> None:
    planned = plan(tree(), None, NOTHING_KNOWN)

    assert [item.entry.ref for item in planned] == [PERSON, ENROLLMENT, EVENT]
    assert {item.entry.action for item in planned} == {"created"}
    assert planned[1].payload is not None
    assert planned[1].payload["trackedEntity"] == PERSON.uid
    assert planned[2].payload is not None
    assert planned[2].payload["enrollment"] == ENROLLMENT.uid


def test_what_is_equal_is_not_sent() -> None:
    planned = plan(tree(), tree(), NOTHING_KNOWN)

    assert sent(planned) == set()
    assert {item.entry.outcome for item in planned} == {Outcome.UNCHANGED}
    assert len(planned) == 3


def test_order_of_values_is_no_difference() -> None:
    values = [{"dataElement": WEIGHT, "value": "1"}, {"dataElement": NOTE, "value": "x"}]

    planned = plan(
        with_event(dataValues=values), with_event(dataValues=values[::-1]), NOTHING_KNOWN
    )

    assert sent(planned) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"status": "COMPLETED"},
        {"occurredAt": "2026-03-30T00:00:00.000"},
        {"geometry": {"type": "Point", "coordinates": [1, 2]}},
        {"orgUnit": "clinicDaka1"},
        {"dataValues": [{"dataElement": WEIGHT, "value": "33.4"}]},
        {"assignedUser": {"username": "awa"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_only_the_object_that_differs_is_sent_and_it_is_sent_whole(change: Any) -> None:
    planned = plan(with_event(**change), tree(), NOTHING_KNOWN)

    assert sent(planned) == {EVENT}
    payload = by_ref(planned)[EVENT].payload
    assert payload is not None
    assert {"event", "status", "orgUnit", "occurredAt", "programStage"} <= payload.keys()


def test_a_value_cleared_at_the_source_is_cleared_with_an_explicit_null() -> None:
    planned = plan(with_event(dataValues=[]), tree(), NOTHING_KNOWN)

    payload = by_ref(planned)[EVENT].payload
    assert payload is not None
    assert payload["dataValues"] == [{"dataElement": WEIGHT, "value": None}]


def test_an_attribute_cleared_at_the_source_is_cleared_where_it_was() -> None:
    cleared = tree(enrollments=[enrollment(attributes=[{"attribute": NAME, "value": "Awa"}])])

    payload = by_ref(plan(cleared, tree(), NOTHING_KNOWN))[ENROLLMENT].payload

    assert payload is not None
    assert {"attribute": NATIONAL_ID, "value": None} in payload["attributes"]


def test_an_old_servers_program_attributes_on_the_person_are_no_difference() -> None:
    """Before 2.42 a superuser gets them there too (tracker-api 1.3)."""
    own = [{"attribute": NAME, "value": "Awa"}]
    old = tree(attributes=[*own, {"attribute": NATIONAL_ID, "value": "90210729"}])

    assert sent(plan(old, tree(attributes=own), NOTHING_KNOWN)) == set()
    assert sent(plan(tree(attributes=own), old, NOTHING_KNOWN)) == set()


def test_a_value_that_the_sources_model_does_not_have_is_left_alone() -> None:
    theirs = [{"dataElement": WEIGHT, "value": "33.3", "providedElsewhere": False}]
    local = [*theirs, {"dataElement": "elemLocal01", "value": "theirs"}]

    planned = plan(tree(), with_event(dataValues=local), NOTHING_KNOWN)

    assert sent(planned) == set()


def test_a_uid_used_up_at_the_destination_is_refused_and_nothing_below_it_is_sent() -> None:
    planned = plan(tree(), tree(enrollments=[enrollment(deleted=True)]), NOTHING_KNOWN)

    found = by_ref(planned)
    assert found[ENROLLMENT].entry.code == "E1113"
    assert found[EVENT].entry.code == "E1082"
    assert sent(planned) == set()


def test_a_stamp_of_completion_is_no_difference_because_it_is_never_corrected() -> None:
    done = {"status": "COMPLETED"}
    ours = with_event(**done, completedAt="2026-05-15T13:18:00.000")
    theirs = with_event(**done, completedAt="2026-11-24T12:06:27.969")

    assert sent(plan(ours, theirs, NOTHING_KNOWN)) == set()
    created = by_ref(plan(ours, None, NOTHING_KNOWN))[EVENT].payload
    assert created is not None
    assert created["completedAt"] == "2026-05-15T13:18:00.000"


def test_what_was_read_earlier_never_overwrites_what_was_read_later() -> None:
    later = Known(READ + 1, "other", "m1", None)

    planned = plan(with_event(status="COMPLETED"), tree(), Past({EVENT: later}, READ, MODEL))

    assert by_ref(planned)[EVENT].entry.outcome is Outcome.SUPERSEDED
    assert sent(planned) == set()


def test_an_older_stamp_is_sent_all_the_same_because_a_clock_may_have_gone_back() -> None:
    known = Past({EVENT: Known(BEFORE, "other", "m1", None)}, READ, MODEL)
    back = with_event(status="COMPLETED", updatedAt="2020-01-01T00:00:00.000")

    assert sent(plan(back, tree(), known)) == {EVENT}


def test_an_object_that_came_twice_is_sent_once() -> None:
    twice = tree(enrollments=[enrollment(events=[event(), event()])])

    assert len([item for item in plan(twice, None, NOTHING_KNOWN) if item.payload]) == 3


def test_what_is_deleted_at_the_source_and_never_was_at_the_destination_is_no_news() -> None:
    planned = plan(with_event(deleted=True), None, NOTHING_KNOWN)

    assert by_ref(planned)[EVENT].entry.outcome is Outcome.UNCHANGED


def test_what_is_deleted_at_the_source_is_held_and_named() -> None:
    planned = plan(with_event(deleted=True), tree(), NOTHING_KNOWN)

    entry = by_ref(planned)[EVENT].entry
    assert (entry.outcome, entry.code) == (Outcome.HELD, "SYNC_DELETE_HELD")


class TestARefusalThatIsKnown:
    def known(self, code: str, *, model: str = "m1") -> Past:
        bad = by_ref(plan(with_event(status="COMPLETED"), None, NOTHING_KNOWN))[EVENT].entry
        return Past({EVENT: Known(BEFORE, bad.content_hash, model, code)}, READ, MODEL)

    def test_is_not_sent_again_while_nothing_changed(self) -> None:
        planned = plan(with_event(status="COMPLETED"), tree(), self.known("E1125"))

        entry = by_ref(planned)[EVENT].entry
        assert (entry.outcome, entry.code, entry.known) == (Outcome.REFUSED, "E1125", True)
        assert sent(planned) == set()

    def test_is_sent_again_when_its_content_changed(self) -> None:
        planned = plan(with_event(status="SKIPPED"), tree(), self.known("E1125"))

        assert sent(planned) == {EVENT}

    def test_is_sent_again_when_the_metadata_changed(self) -> None:
        past = self.known("E1125", model="m0")

        assert sent(plan(with_event(status="COMPLETED"), tree(), past)) == {EVENT}

    def test_is_sent_again_when_time_may_heal_it_and_stays_known(self) -> None:
        planned = plan(with_event(status="COMPLETED"), tree(), self.known("E1064"))

        assert sent(planned) == {EVENT}
        entry = by_ref(planned)[EVENT].entry
        assert refused(entry, "E1064").known
        assert not refused(entry, "E1125").known
        assert not account(entry, ImportReport(frozenset({EVENT}), {})).known

    def test_is_sent_again_when_the_deleted_object_of_its_uid_was_purged(self) -> None:
        changed = with_event(status="COMPLETED")
        there = tree(enrollments=[enrollment(events=[event(deleted=True)])])

        assert sent(plan(changed, there, self.known("E1082"))) == set()
        assert sent(
            plan(changed, tree(enrollments=[enrollment(events=[])]), self.known("E1082"))
        ) == {EVENT}

    @pytest.mark.parametrize(("before", "known"), [("E1082", True), ("E1125", False)])
    def test_is_known_with_the_code_it_had_and_new_with_another(
        self, before: str, *, known: bool
    ) -> None:
        there = tree(enrollments=[enrollment(events=[event(deleted=True)])])

        entry = by_ref(plan(with_event(status="COMPLETED"), there, self.known(before)))[EVENT].entry

        assert (entry.code, entry.known) == ("E1082", known)

    def test_is_no_news_where_its_parent_is_refused_by_now(self) -> None:
        gone = tree(enrollments=[enrollment(deleted=True, events=[])])

        found = by_ref(plan(with_event(status="COMPLETED"), gone, self.known("E1125")))

        assert (found[EVENT].entry.code, found[EVENT].entry.known) == ("E5000", True)
        assert found[ENROLLMENT].entry.known is False

    def test_takes_its_children_along(self) -> None:
        first = by_ref(plan(tree(), None, NOTHING_KNOWN))[ENROLLMENT].entry
        known = Known(BEFORE, first.content_hash, "m1", "E1018")
        bare = tree(enrollments=[])

        found = by_ref(plan(tree(), bare, Past({ENROLLMENT: known}, READ, MODEL)))

        assert found[ENROLLMENT].entry.code == "E1018"
        assert found[EVENT].entry.code == "E5000"


class TestAnEventWithoutRegistration:
    def test_is_created_alone_and_belongs_to_nobody(self) -> None:
        (only,) = plan(alone(), None, NOTHING_KNOWN)

        assert (only.entry.ref, only.entry.tracked_entity, only.parent) == (EVENT, None, None)
        assert only.entry.action == "created"
        assert only.payload is not None
        assert only.payload["program"] == SURVEILLANCE
        assert not {"enrollment", "trackedEntity"} & only.payload.keys()

    def test_is_not_sent_when_it_is_equal(self) -> None:
        (only,) = plan(alone(), alone(), NOTHING_KNOWN)

        assert only.payload is None
        assert only.entry.outcome is Outcome.UNCHANGED

    def test_is_sent_whole_with_nulls_for_the_values_its_stage_lost(self) -> None:
        kept = {"dataElement": NOTE, "value": "x", "providedElsewhere": False}
        theirs = alone(dataValues=[kept, {"dataElement": WEIGHT, "value": "33.3"}])

        (only,) = plan(alone(dataValues=[kept]), theirs, NOTHING_KNOWN)

        assert only.entry.action == "changed"
        assert only.payload is not None
        assert {"status", "orgUnit", "occurredAt", "programStage"} <= only.payload.keys()
        assert only.payload["dataValues"] == [kept, {"dataElement": WEIGHT, "value": None}]

    def test_is_refused_where_its_uid_is_used_up(self) -> None:
        (only,) = plan(alone(), alone(deleted=True), NOTHING_KNOWN)

        assert (only.entry.outcome, only.entry.code) == (Outcome.REFUSED, "E1082")
        assert only.payload is None

    def test_is_held_when_it_is_deleted_at_the_source(self) -> None:
        (only,) = plan(alone(deleted=True), alone(), NOTHING_KNOWN)

        assert (only.entry.outcome, only.entry.code) == (Outcome.HELD, "SYNC_DELETE_HELD")

    def test_is_superseded_by_what_was_read_later(self) -> None:
        later = Known(READ + 1, "other", "m1", None)

        (only,) = plan(alone(), None, Past({EVENT: later}, READ, MODEL))

        assert only.entry.outcome is Outcome.SUPERSEDED

    def test_is_not_sent_again_while_its_refusal_stands(self) -> None:
        (first,) = plan(alone(), None, NOTHING_KNOWN)
        known = Known(BEFORE, first.entry.content_hash, "m1", "E1303")

        (only,) = plan(alone(), None, Past({EVENT: known}, READ, MODEL))

        assert (only.entry.outcome, only.entry.known) == (Outcome.REFUSED, True)
        assert only.payload is None


def test_every_line_carries_the_stamp_of_what_the_destination_holds() -> None:
    theirs = "2026-11-24T14:00:00.000"
    held = tree(enrollments=[enrollment(updatedAt=theirs, events=[])])

    found = by_ref(plan(tree(), held, NOTHING_KNOWN))

    assert found[ENROLLMENT].entry.destination_updated_at == datetime.fromisoformat(theirs)
    assert found[EVENT].entry.destination_updated_at is None


values = st.lists(
    st.builds(
        lambda element, value: {"dataElement": element, "value": value},
        st.sampled_from([WEIGHT, NOTE]),
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3),
    ),
    unique_by=lambda item: item["dataElement"],
)


@given(ours=values, theirs=values)
def test_applying_a_plan_leaves_nothing_to_plan(ours: list[Any], theirs: list[Any]) -> None:
    source, destination = with_event(dataValues=ours), with_event(dataValues=theirs)

    held = {item["dataElement"]: item["value"] for item in theirs}
    for item in plan(source, destination, NOTHING_KNOWN):
        for value in (item.payload or {}).get("dataValues", []):
            held[value["dataElement"]] = value["value"]
    left = [{"dataElement": uid, "value": held[uid]} for uid in held if held[uid] is not None]

    assert sent(plan(source, with_event(dataValues=left), NOTHING_KNOWN)) == set()


@given(ours=values, theirs=values)
def test_what_is_remembered_before_a_request_is_what_the_destination_has_after_it(
    ours: list[Any], theirs: list[Any]
) -> None:
    source = with_event(dataValues=ours)
    elsewhere = {"dataElement": "otherElemnt", "value": "entered there alone"}
    destination = with_event(dataValues=[*theirs, elsewhere])

    for item in plan(source, destination, NOTHING_KNOWN):
        if item.text is not None:
            (line,) = on_their_way([item])
            after = with_event(dataValues=[*(row for row in ours if row["value"]), elsewhere])
            (left,) = [each for each in after.objects if each.ref == line.ref]
            assert line.content_hash == left.content_hash
            assert (line.outcome, line.code) == (Outcome.REFUSED, "SYNC_ON_ITS_WAY")


class TestWhatSomebodyChangedAtTheDestination:
    ours = with_event(status="COMPLETED")
    theirs = with_event(occurredAt="2026-04-01T00:00:00.000", updatedAt="2026-11-30T09:00:00.000")

    def past(self, edits: Edits, stamp: str = "2026-11-24T12:06:46.263") -> Past:
        first = by_ref(plan(tree(), None, NOTHING_KNOWN))[EVENT].entry
        known = Known(BEFORE, first.content_hash, "m1", None, datetime.fromisoformat(stamp))
        return Past({EVENT: known}, READ, MODEL, edits)

    def test_is_overwritten_if_the_source_has_the_last_word(self) -> None:
        assert sent(plan(self.ours, self.theirs, self.past("overwrite"))) == {EVENT}

    @pytest.mark.parametrize(("edits", "outcome"), [("keep", "held"), ("report", "refused")])
    def test_is_left_alone_and_named_if_it_has_not(self, edits: Edits, outcome: str) -> None:
        past = self.past(edits)

        planned = plan(self.ours, self.theirs, past)

        line = by_ref(planned)[EVENT].entry
        assert sent(planned) == set()
        assert (line.outcome, line.code) == (outcome, "SYNC_DESTINATION_EDITED")
        assert line.destination_updated_at == past.known[EVENT].destination_updated_at

    def test_is_no_edit_where_only_a_stamp_moved(self) -> None:
        moved = with_event(updatedAt="2026-11-30T09:00:00.000")

        assert sent(plan(self.ours, moved, self.past("keep"))) == {EVENT}

    def test_is_no_edit_where_it_is_what_we_wrote(self) -> None:
        past = self.past("keep", "2026-11-30T09:00:00.000")

        assert sent(plan(self.ours, self.theirs, past)) == {EVENT}


OF_ANOTHER = Past({Ref("EVENT", "another0001"): Known(BEFORE, "h", "m1", None)}, READ, MODEL)
STATES = st.sampled_from(["ACTIVE", "COMPLETED"])


@given(
    deleted=st.lists(st.booleans(), min_size=3, max_size=3),
    status=STATES,
    note=st.sampled_from(["well", "a\0b"]),
    copies=st.integers(1, 2),
)
def test_who_is_new_to_both_is_planned_as_who_is_looked_at_one_by_one(
    deleted: list[bool], status: str, note: str, copies: int
) -> None:
    own = event(
        status=status,
        completedAt="2026-05-15T13:18:00.000",
        deleted=deleted[2],
        dataValues=[{"dataElement": NOTE, "value": note}],
    )
    new = tree(enrollments=[enrollment(deleted=deleted[1], events=[own])], deleted=deleted[0])
    new = replace(new, objects=(*new.objects,) * copies)

    planned = plan(new, None, NOTHING_KNOWN)

    assert len(planned) == 3
    assert planned == plan(new, None, OF_ANOTHER)
    assert any(deleted) or sent(planned)


def test_what_was_sent_and_stored_keeps_all_else_of_its_line() -> None:
    entry = plan(tree(), None, NOTHING_KNOWN)[0].entry.but(code="E1000", known=True)
    at = entry.updated_at

    line = with_stamp(stored(entry), at)

    assert line == entry.but(
        outcome=Outcome.STORED, code=None, known=False, destination_updated_at=at
    )
    (written,) = as_entries(of_batch(as_table([line]), 3))
    assert written == line.but(batch=3, at=written.at)
