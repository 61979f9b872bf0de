"""What is asked for by name is there by that name on every version, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from client.replay import VERSIONS, recorded, replaying
from dhis2_api.dialects import dialect_of
from dhis2_api.export import Listing, by_uid, listing_requests
from dhis2_api.fields import (
    EVENT_FIELDS,
    LISTING_FIELDS,
    PERSON_FIELDS,
    RELATED_EVENT_FIELDS,
    RELATED_FIELDS,
)
from dhis2_api.json_pages import Row
from dhis2_api.reading import each_row


SURVEILLANCE, ROOTS = "fAw4hObwxfo", ("GwTj6qZdrlX", "YGeDprhfds1")
RELATED = "g2mJRhGpsZs"


def names_in(fields: str) -> set[str]:
    """Return each name asked for, as a path, e.g. `enrollments/notes/value`."""
    found: set[str] = set()
    above: list[str] = []
    name = ""
    for sign in f"{fields},":
        if sign not in "[],":
            name += sign
            continue
        if name:
            found.add("/".join([*above, name]))
        if sign == "[":
            above.append(name)
        elif sign == "]":
            above.pop()
        name = ""
    return found


def paths(value: Any, above: str = "") -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        for name, inner in item.items() if isinstance(item, dict) else ():
            yield f"{above}{name}"
            yield from paths(inner, f"{above}{name}/")


def recorded_paths(name: str) -> set[str]:
    """Return the paths that any version's answer shows; what has no value is left out of one."""
    return {path for version in VERSIONS for path in paths(recorded(version)[name].rows())}


def test_events_are_asked_for_what_real_servers_show() -> None:
    shown = recorded_paths("export-single-events") | recorded_paths("export-events")

    asked = names_in(EVENT_FIELDS)

    # Nobody was assigned, nothing came from a device, and nothing was scheduled there.
    unseen = {"assignedUser/username", "createdAtClient", "updatedAtClient", "scheduledAt"}
    assert {"event", "program", "notes/note", "notes/value", "notes/storedAt"} <= asked
    assert asked - unseen <= shown
    assert "enrollment" not in asked


@pytest.mark.parametrize("version", VERSIONS)
def test_a_note_says_the_same_on_every_version(version: str) -> None:
    (note,) = recorded(version)["read-notes"].body["notes"]

    assert {"note", "value", "storedAt"} <= note.keys()
    assert {"notes/note", "enrollments/notes/value"} <= names_in(EVENT_FIELDS) | names_in(
        PERSON_FIELDS
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_owners_are_asked_for_as_a_real_server_shows_them(version: str) -> None:
    (owner,) = recorded(version)["owner-before"].body["programOwners"]

    assert {"program", "orgUnit"} <= owner.keys()
    assert {"programOwners/program", "programOwners/orgUnit"} <= names_in(PERSON_FIELDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_relationships_of_people_are_asked_for_without_deleted_ones(version: str) -> None:
    """With deleted ones they come mixed from 2.41 on, and no flag tells them apart."""
    dead = recorded(version)["deleted-relationship-nested-include-true"].rows()[0]
    living = recorded(version)["deleted-relationship-nested-include-false"].rows()[0]

    asked = by_uid(dialect_of(version), "trackedEntities", [RELATED], RELATED_FIELDS, living=True)

    assert bool(dead["relationships"]) == (version != "2.40.9")
    assert "deleted" not in {path for link in dead["relationships"] for path in paths(link)}
    assert living["relationships"] == []
    assert asked.params["includeDeleted"] == "false"
    ends = {"from/trackedEntity/trackedEntity", "to/event/event", "to/enrollment/enrollment"}
    for above in ("", "enrollments/", "enrollments/events/"):
        assert {f"{above}relationships/{end}" for end in ends} <= names_in(RELATED_FIELDS)
    assert names_in(RELATED_EVENT_FIELDS) - {"event"} <= names_in(RELATED_FIELDS)


def test_objects_are_read_with_deleted_ones_unless_only_the_living_are_wanted() -> None:
    for version in VERSIONS:
        asked = by_uid(dialect_of(version), "trackedEntities", [RELATED], PERSON_FIELDS)
        assert asked.params["includeDeleted"] == "true"
    assert "relationships" not in names_in(PERSON_FIELDS) | names_in(EVENT_FIELDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_events_without_registration_are_listed_of_one_org_unit_a_request(version: str) -> None:
    listing = Listing("events", SURVEILLANCE, ROOTS, None, 100)

    requests = listing_requests(listing, dialect_of(version))

    assert [asked.params["orgUnit"] for asked in requests] == [*ROOTS]
    for asked in requests:
        assert asked.params["program"] == SURVEILLANCE
        assert asked.params["fields"] == LISTING_FIELDS["events"]
        assert not {"orgUnits", "trackedEntityType"} & asked.params.keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_listed_event_without_registration_says_where_it_is_and_has_no_person(
    version: str,
) -> None:
    listing = Listing("events", SURVEILLANCE, ROOTS[:1], None, 100)
    (asked,) = listing_requests(listing, dialect_of(version))

    with replaying(version, "export-single-events") as (client, _):
        rows = list(each_row(client, asked, "event"))

    assert len(rows) == 3
    assert all(row.keys() >= LISTED and "trackedEntity" not in row for row in rows)


LISTED = names_in(LISTING_FIELDS["events"]) - {"trackedEntity"}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_event_without_registration_may_show_an_enrollment_that_nobody_made(
    version: str,
) -> None:
    rows: list[Row] = recorded(version)["export-single-events"].rows()

    shown = {row.get("enrollment") for row in rows}

    assert len(rows) == 3
    assert (shown == {None}) == (version in {"2.40.9", "2.43.1"})
