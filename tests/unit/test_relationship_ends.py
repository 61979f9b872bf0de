"""Relationships join people, enrollments and events, those without registration too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.export import Listing
from dhis2_api.importer import Ref
from dhis2_api.reading import read_list, read_relationships
from nightly import Ground, Nights, ground_of, nights, send, with_route
from servers import MATERNAL, PERSON, SENEGAL, SURVEILLANCE
from tracker_sync.outcome import Outcome
from tracker_sync.servers import state_folder
from tracker_sync.state.known import open_refusals


VERSIONS = ["2.40.9", "2.41.8", "2.42.4", "2.43.1"]
MOTHER = "g2mJRhGpsZs"
CASE_OF, CASES, CARE_OF = "typeCaseOf1", "typeCases01", "typeCareOf1"


def constraint(kind: str, **narrowed: str) -> dict[str, Any]:
    return {"relationshipEntity": kind, **{name: {"id": uid} for name, uid in narrowed.items()}}


def relationship_type(uid: str, start: dict[str, Any], to: dict[str, Any]) -> dict[str, Any]:
    sharing: dict[str, Any] = {"public": "rwrw----", "owner": None, "users": {}, "userGroups": {}}
    ends = {"fromConstraint": start, "toConstraint": to, "fromToName": uid}
    return {"id": uid, "name": uid, "bidirectional": False, "sharing": sharing, **ends}


CASE = constraint("PROGRAM_STAGE_INSTANCE", program=SURVEILLANCE)
SOMEBODY = constraint("TRACKED_ENTITY_INSTANCE", trackedEntityType=PERSON)
CARE = constraint("PROGRAM_INSTANCE", program=MATERNAL)
TYPES = (
    relationship_type(CASE_OF, CASE, SOMEBODY),
    relationship_type(CASES, CASE, CASE),
    relationship_type(CARE_OF, CARE, SOMEBODY),
)


@pytest.fixture(scope="module", params=VERSIONS)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("ground")
    return ground_of(folder, request.param, *TYPES, programs=(MATERNAL, SURVEILLANCE))


@pytest.fixture
def night(ground: Ground, tmp_path: Path) -> Iterator[Nights]:
    with nights(ground, tmp_path) as made:
        yield made


def cases(client: Dhis2Client, count: int = 2) -> list[str]:
    listing = Listing("events", SURVEILLANCE, (SENEGAL,), None, 1_000)
    return sorted(row["event"] for row in read_list(client, listing, ZoneInfo("UTC")))[:count]


def case(uid: str) -> dict[str, Any]:
    return {"event": {"event": uid}}


def somebody(uid: str = MOTHER) -> dict[str, Any]:
    return {"trackedEntity": {"trackedEntity": uid}}


def care(client: Dhis2Client, uid: str = MOTHER) -> str:
    path, fields = f"/api/tracker/trackedEntities/{uid}", "enrollments[enrollment,program]"
    found = client.get(path, {"fields": fields})["enrollments"]
    first, *_ = [each["enrollment"] for each in found if each["program"] == MATERNAL]
    return str(first)


def relate(client: Dhis2Client, uid: str, kind: str, start: Any, to: Any) -> None:
    item = {"relationship": uid, "relationshipType": kind, "from": start, "to": to}
    send(client, {"relationships": [item]})


def unrelate(client: Dhis2Client, uid: str) -> None:
    send(client, {"relationships": [{"relationship": uid}]}, "DELETE")


def of_event(client: Dhis2Client, uid: str) -> set[str]:
    return {row["relationship"] for row in read_relationships(client, "event", uid)}


def test_a_case_is_joined_with_a_person_once_both_are_there(night: Nights) -> None:
    first_case, _ = cases(night.source)
    relate(night.source, "caseOfMoth1", CASE_OF, case(first_case), somebody())

    alone = night.relate(night.load("one", cases(night.source), program=SURVEILLANCE))
    after = night.relate(night.load("two", [MOTHER]))
    again = night.relate(night.load("three", cases(night.source), program=SURVEILLANCE))

    assert (alone["caseOfMoth1"].outcome, alone["caseOfMoth1"].code) == (Outcome.REFUSED, "E4012")
    assert alone["caseOfMoth1"].tracked_entity == MOTHER
    assert (after["caseOfMoth1"].outcome, after["caseOfMoth1"].action) == (
        Outcome.STORED,
        "created",
    )
    assert not again["caseOfMoth1"].sent
    assert of_event(night.destination, first_case) == {"caseOfMoth1"}


def test_two_cases_are_joined_and_parted_again(night: Nights) -> None:
    one, other = cases(night.source)
    relate(night.source, "casesJoin01", CASES, case(one), case(other))
    sending = with_route(night, deletes="send")

    first = sending.relate(sending.load("one", [one, other], program=SURVEILLANCE))
    second = sending.relate(sending.load("two", [one, other], program=SURVEILLANCE))
    unrelate(night.source, "casesJoin01")
    third = sending.relate(sending.load("three", [one, other], program=SURVEILLANCE))
    fourth = sending.relate(sending.load("four", [one, other], program=SURVEILLANCE))

    line = first["casesJoin01"]
    assert (line.outcome, line.tracked_entity, line.lone_event) == (Outcome.STORED, None, one)
    assert (second["casesJoin01"].outcome, second["casesJoin01"].sent) == (
        Outcome.UNCHANGED,
        False,
    )
    assert (third["casesJoin01"].outcome, third["casesJoin01"].action) == (
        Outcome.STORED,
        "deleted",
    )
    assert of_event(night.destination, one) == set()
    assert fourth == {}


def test_a_relationship_of_two_cases_that_is_refused_has_its_case_read_by_every_run(
    night: Nights,
) -> None:
    one, other = cases(night.source)
    relate(night.source, "casesJoin01", CASES, case(one), case(other))
    refused = night.relate(night.load("one", [one], program=SURVEILLANCE))
    assert refused["casesJoin01"].code == "E4012"
    night.load("two", [other], program=SURVEILLANCE)

    (root,) = open_refusals(state_folder(night.workspace("two"))).items()
    later = night.relate(night.load("three", [root[0].uid], program=root[1]))

    assert root == (Ref("EVENT", one), SURVEILLANCE)
    assert (later["casesJoin01"].outcome, later["casesJoin01"].action) == (
        Outcome.STORED,
        "created",
    )
    assert of_event(night.destination, one) == {"casesJoin01"}
    assert open_refusals(state_folder(night.workspace("three"))) == {}


@pytest.mark.parametrize("goes", ["the relationship", "its case"])
def test_a_refused_relationship_of_two_cases_that_is_gone_is_a_refusal_no_more(
    night: Nights, goes: str
) -> None:
    one, other = cases(night.source)
    relate(night.source, "casesJoin01", CASES, case(one), case(other))
    night.relate(night.load("one", [one], program=SURVEILLANCE))
    if goes == "its case":
        send(night.source, {"events": [{"event": one}]}, "DELETE")
    else:
        unrelate(night.source, "casesJoin01")

    closed = night.relate(night.load("two", [one], program=SURVEILLANCE))

    assert (closed["casesJoin01"].outcome, closed["casesJoin01"].content_hash) == (
        Outcome.UNCHANGED,
        None,
    )
    assert open_refusals(state_folder(night.workspace("two"))) == {}


def test_an_enrollment_is_joined_with_a_person_and_parted_again(night: Nights) -> None:
    child = "eV8rUSbzeAZ"
    relate(
        night.source,
        "careOfChil1",
        CARE_OF,
        {"enrollment": {"enrollment": care(night.source)}},
        somebody(child),
    )
    sending = with_route(night, deletes="send")
    both = [MOTHER, child]

    first = sending.relate(sending.load("one", both))["careOfChil1"]
    second = sending.relate(sending.load("two", both))["careOfChil1"]
    unrelate(night.source, "careOfChil1")
    third = sending.relate(sending.load("three", both))["careOfChil1"]

    assert (first.outcome, first.action, first.tracked_entity) == (
        Outcome.STORED,
        "created",
        child,
    )
    assert (second.outcome, second.sent) == (Outcome.UNCHANGED, False)
    assert (third.outcome, third.action) == (Outcome.STORED, "deleted")
