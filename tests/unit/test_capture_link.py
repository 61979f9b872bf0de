"""A link opens the Capture app at who is meant."""

from __future__ import annotations

import pytest

from tracker_sync.runs.capture_link import link_to


APP = "https://north.example/dhis/dhis-web-capture/index.html#"


@pytest.mark.parametrize(
    ("kind", "uid", "person", "page"),
    [
        ("TRACKED_ENTITY", "person00001", "person00001", "/enrollment?teiId=person00001"),
        ("TRACKED_ENTITY", "person00001", None, "/enrollment?teiId=person00001"),
        ("ENROLLMENT", "enroll00001", "person00001", "/enrollment?teiId=person00001"),
        ("EVENT", "event000001", "person00001", "/enrollment?teiId=person00001"),
        ("EVENT", "event000001", None, "/viewEvent?viewEventId=event000001"),
    ],
)
def test_an_object_is_shown_by_its_person_and_a_lone_event_by_itself(
    kind: str, uid: str, person: str | None, page: str
) -> None:
    assert link_to("https://north.example/dhis", kind, uid, person) == APP + page


def test_an_address_with_a_slash_at_its_end_gives_the_same_link() -> None:
    with_slash = link_to("https://north.example/dhis/", "EVENT", "event000001", None)

    assert with_slash == link_to("https://north.example/dhis", "EVENT", "event000001", None)


def test_what_is_no_uid_cannot_change_the_link() -> None:
    link = link_to("https://north.example/dhis", "EVENT", "a&b=c#d", None)

    assert link.removeprefix(APP) == "/viewEvent?viewEventId=a%26b%3Dc%23d"
