"""Everybody belongs at the destination to the org unit that owns him at the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.ownership import read_owner, transfer_owner
from nightly import Ground, Nights, ground_of, nights, send, with_route
from servers import HIV, MATERNAL, OLDEST_AND_NEWEST
from tracker_sync.mapping.terms import MappingTerms
from tracker_sync.outcome import Outcome
from tracker_sync.servers import state_folder
from tracker_sync.state.known import open_refusals


PERSON, OTHER, ELSEWHERE = "mGPEjOa9jIO", "tIazUHAG6ZW", "tW15x95bXfH"
PLACE_OF_ANOTHER_NAME = "tLeEfRCZthb"
OWNER = f"{PERSON}:{HIV}"
TRANSFER = "tracker_sync.steps.owners.transfer_owner"


@pytest.fixture(scope="module", params=OLDEST_AND_NEWEST)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return ground_of(tmp_path_factory.mktemp("ground"), request.param, programs=(HIV, MATERNAL))


@pytest.fixture
def night(ground: Ground, tmp_path: Path) -> Iterator[Nights]:
    with nights(ground, tmp_path) as made:
        yield made


def owner(client: Dhis2Client, program: str = HIV) -> str | None:
    return read_owner(client, PERSON, program)


def enrollments(client: Dhis2Client) -> list[str]:
    path, fields = f"/api/tracker/trackedEntities/{PERSON}", "enrollments[enrollment,program]"
    found = client.get(path, {"fields": fields})["enrollments"]
    return [each["enrollment"] for each in found if each["program"] == HIV]


def test_an_owner_where_the_enrollment_is_needs_no_transfer(night: Nights) -> None:
    lines = night.own(night.load("one", [PERSON, OTHER]))

    assert OWNER in lines
    assert len(lines) > 1
    assert {(line.outcome, line.sent) for line in lines.values()} == {(Outcome.UNCHANGED, False)}


def test_a_new_owner_is_transferred_to_once_and_the_neighbours_are_not(night: Nights) -> None:
    assert transfer_owner(night.source, PERSON, HIV, ELSEWHERE)

    first = night.own(night.load("one", [PERSON, OTHER]))
    after = night.load("two", [PERSON, OTHER])
    second, again = night.own(after), night.own(after)

    assert (first[OWNER].outcome, first[OWNER].action) == (Outcome.STORED, "changed")
    assert first[OWNER].tracked_entity == PERSON
    assert [line.ref.uid for line in first.values() if line.sent] == [OWNER]
    assert owner(night.destination) == owner(night.source) == ELSEWHERE
    assert not any(line.sent for line in [*second.values(), *again.values()])


def test_one_who_is_not_enrolled_there_yet_is_refused_until_he_is(night: Nights) -> None:
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    after = night.load("one", [PERSON])
    send(
        night.destination,
        {"trackedEntities": [{"trackedEntity": PERSON}]},
        "DELETE",
    )

    first = night.own(after)[OWNER]
    open_then = open_refusals(state_folder(after.workspace))

    assert (first.outcome, first.code, first.sent) == (Outcome.REFUSED, "E5000", False)
    assert [ref.uid for ref in open_then] == [PERSON]
    second = night.own(night.load("two", [PERSON]))[OWNER]
    assert (second.outcome, second.code, second.known) == (Outcome.REFUSED, "E5000", True)


def test_a_refusal_is_closed_once_the_source_has_no_such_person_any_more(night: Nights) -> None:
    after = night.load("one", [PERSON])
    send(night.destination, {"trackedEntities": [{"trackedEntity": PERSON}]}, "DELETE")
    night.own(after)
    send(night.source, {"trackedEntities": [{"trackedEntity": PERSON}]}, "DELETE")

    line = night.own(night.load("two", [PERSON]))[OWNER]

    assert (line.outcome, line.content_hash) == (Outcome.UNCHANGED, None)
    assert OWNER not in {
        ref.uid for ref in open_refusals(state_folder(night.workspace("two"))) if ref.uid == OWNER
    }


def test_an_org_unit_that_the_destination_lacks_is_refused_and_the_neighbours_go(
    night: Nights,
) -> None:
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    transfer_owner(night.source, OTHER, HIV, ELSEWHERE)
    after = night.load("one", [PERSON, OTHER])
    night.destination.request("DELETE", f"/api/organisationUnits/{ELSEWHERE}")

    lines = night.own(after)

    codes = {(line.outcome, line.code) for line in lines.values() if line.sent}
    assert codes == {(Outcome.REFUSED, "SYNC_OWNER_NOT_TRANSFERRED")}
    assert {line.outcome for line in lines.values() if not line.sent} <= {Outcome.UNCHANGED}
    assert owner(night.destination) != ELSEWHERE
    again = night.own(night.load("two", [PERSON, OTHER]))[OWNER]
    assert (again.outcome, again.known) == (Outcome.REFUSED, True)


def test_an_owner_without_any_living_enrollment_is_nobodys_business(night: Nights) -> None:
    gone = [{"enrollment": uid} for uid in enrollments(night.source)]
    assert gone
    send(night.source, {"enrollments": gone}, "DELETE")
    assert owner(night.source) is not None

    lines = night.own(night.load("one", [PERSON]))

    assert OWNER not in lines


def test_an_older_read_takes_nobody_back(night: Nights) -> None:
    old = night.load("one", [PERSON])
    night.own(old)
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    night.own(night.load("two", [PERSON]))

    line = night.own(old)[OWNER]

    assert line.outcome is Outcome.SUPERSEDED
    assert owner(night.destination) == ELSEWHERE


def test_an_answer_that_is_lost_is_found_out_about(
    night: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    lost = Lost()
    monkeypatch.setattr(TRANSFER, lost)

    line = night.own(night.load("one", [PERSON]))[OWNER]

    assert lost.times == 2
    assert (line.outcome, line.action) == (Outcome.STORED, "changed")
    assert owner(night.destination) == ELSEWHERE


def test_a_phase_that_died_goes_on_where_it_was(
    night: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = (PERSON, OTHER)
    for uid in people:
        transfer_owner(night.source, uid, HIV, ELSEWHERE)
    after = night.load("one", people)
    with monkeypatch.context() as dying:
        dying.setattr(TRANSFER, OnlyOnce())
        with pytest.raises(KeyboardInterrupt):
            night.own(after)

    lines = night.own(after)

    assert not {line.outcome for line in lines.values()} - {Outcome.STORED, Outcome.UNCHANGED}
    assert sum(line.sent for line in lines.values()) == 1
    assert {read_owner(night.destination, uid, HIV) for uid in people} == {ELSEWHERE}


def test_our_own_transfer_is_not_taken_for_an_edit_of_the_person(night: Nights) -> None:
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    night.own(night.load("one", [PERSON]))
    path = f"/api/tracker/trackedEntities/{PERSON}"
    stamp = night.destination.get(path, {"fields": "updatedAt"})["updatedAt"]

    lines = [line for line in night.state() if line["uid"] == PERSON]
    last = max(lines, key=lambda line: line["at"])

    assert last["destination_updated_at"].isoformat(timespec="milliseconds") == stamp


def test_a_dry_run_transfers_nobody(night: Nights) -> None:
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    after = night.load("one", [PERSON])
    dry = replace(after, destination=replace(after.destination, dry_run=True))

    lines = night.own(dry)

    told = lines[f"{PERSON}:{HIV}"]
    assert (told.code, told.action, told.sent) == ("SYNC_DRY_RUN", "changed", False)
    assert owner(night.destination) != ELSEWHERE


def test_an_owner_is_called_as_the_destination_calls_it(night: Nights) -> None:
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    mapped = with_route(night, mapping=MappingTerms(org_units={ELSEWHERE: PLACE_OF_ANOTHER_NAME}))

    line = mapped.own(mapped.load("one", [PERSON]))[OWNER]

    assert (line.outcome, line.action) == (Outcome.STORED, "changed")
    assert owner(night.destination) == PLACE_OF_ANOTHER_NAME


def test_an_owner_that_no_table_names_is_refused(night: Nights) -> None:
    place = night.source.get(f"/api/tracker/trackedEntities/{PERSON}", {"fields": "orgUnit"})
    transfer_owner(night.source, PERSON, HIV, ELSEWHERE)
    names = {place["orgUnit"]: place["orgUnit"]}
    closed = MappingTerms(org_units=names, closed=frozenset({"org_units"}))
    mapped = with_route(night, mapping=closed)

    first = mapped.own(mapped.load("one", [PERSON]))[OWNER]
    second = mapped.own(mapped.load("two", [PERSON]))[OWNER]

    assert (first.outcome, first.code) == (Outcome.REFUSED, "SYNC_UNMAPPED_ORG_UNIT")
    assert (first.known, second.known) == (False, True)
    assert owner(night.destination) == place["orgUnit"]


class Lost:
    """Does the first transfer, and loses its answer."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, *args: Any) -> bool:
        self.times += 1
        done = transfer_owner(*args)
        if self.times == 1:
            raise TransientError("the answer was lost")
        return done


class OnlyOnce(Lost):
    """Does the first transfer, and dies at the second."""

    def __call__(self, *args: Any) -> bool:
        self.times += 1
        if self.times > 1:
            raise KeyboardInterrupt
        return transfer_owner(*args)
