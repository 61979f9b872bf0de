"""Would the servers let this route's data through?"""

from __future__ import annotations

from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.system import read_account
from servers import DAKAR, HIV, SENEGAL, Pair, grant, put, read, route
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.writing_rights import assignment_findings
from tracker_sync.readiness import readiness


CASCADES = ("F_TEI_CASCADE_DELETE", "F_ENROLLMENT_CASCADE_DELETE")
HERE = {"id": "LocalUnit01", "name": "Ici", "shortName": "Ici", "openingDate": "2020-01-01"}


def test_an_account_without_org_units_at_the_destination_is_not_ready(pair: Pair) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model

    findings = readiness(pair.source, pair.destination, route(), model)

    assert [finding.code for finding in findings] == [
        "capture_scope_missing",
        "search_scope_missing",
    ]
    assert all(finding.blocking and finding.text.startswith("to: ") for finding in findings)
    assert read_account(pair.destination).capture == frozenset()


def test_a_superuser_gives_itself_the_roots_where_the_route_says_so(pair: Pair) -> None:
    grant(pair.source, SENEGAL)
    put(pair.destination, "organisationUnits", HERE)
    grant(pair.destination, HERE["id"])
    model = synchronise(pair.source, pair.destination, route()).model

    findings = readiness(pair.source, pair.destination, route(grant_self=True), model)

    assert [(finding.code, finding.blocking) for finding in findings] == [("granted_self", False)]
    account = read_account(pair.destination)
    assert account.capture == account.search == {HERE["id"], SENEGAL}
    assert readiness(pair.source, pair.destination, route(grant_self=True), model) == []


def test_a_root_that_the_destination_lacks_is_named_and_not_granted(pair: Pair) -> None:
    grant(pair.source, SENEGAL)
    checked = route(metadata="ignore", grant_self=True)
    model = synchronise(pair.source, pair.destination, checked).model

    findings = readiness(pair.source, pair.destination, checked, model)

    assert [(finding.code, finding.blocking) for finding in findings] == [("root_missing", True)]
    assert read_account(pair.destination).capture == frozenset()


def test_a_source_account_that_searches_but_does_not_capture_is_not_ready(pair: Pair) -> None:
    grant(pair.source, DAKAR)
    model = synchronise(pair.source, pair.destination, route()).model
    grant(pair.destination, SENEGAL)

    findings = readiness(pair.source, pair.destination, route(), model)

    assert {finding.code for finding in findings} == {
        "capture_scope_missing",
        "search_scope_missing",
    }
    assert all(finding.text.startswith("from: ") for finding in findings)


def test_a_program_closed_to_the_account_blocks(pair: Pair) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model
    closed(pair.destination, {"public": "rw------"})
    writer = account(pair.destination, "writer", "Account-1234!")

    findings = readiness(pair.source, writer, route(), model)

    assert [(finding.code, finding.blocking) for finding in findings] == [
        ("data_write_missing", True),
        ("reopening_authority_missing", False),
    ]
    assert f"programs {HIV}" in findings[0].text
    assert "user group" in findings[0].remedy


def test_a_program_that_a_group_of_the_account_may_write_is_ready(pair: Pair) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model
    writer = account(pair.destination, "writer", "Account-1234!", "F_UNCOMPLETE_EVENT")
    group = {"id": "GroupWriter", "name": "writers", "users": [{"id": "UserWriter1"}]}
    put(pair.destination, "userGroups", group)
    share = {"GroupWriter": {"id": "GroupWriter", "access": "r-rw----"}}
    closed(pair.destination, {"public": "r-------", "userGroups": share})

    assert read_account(writer).groups == {"GroupWriter"}
    assert readiness(pair.source, writer, route(), model) == []


def test_expiry_days_are_told_to_an_account_that_may_not_write_past_them(pair: Pair) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model
    put(pair.destination, "programs", read(pair.destination, "programs", HIV) | {"expiryDays": 5})
    writer = account(pair.destination, "writer", "Account-1234!", "F_UNCOMPLETE_EVENT")

    findings = readiness(pair.source, writer, route(), model)

    assert [(finding.code, finding.blocking) for finding in findings] == [
        ("program_expires", False)
    ]
    assert "expiryDays 5" in findings[0].text
    assert "F_EDIT_EXPIRED" in findings[0].remedy


@pytest.mark.parametrize("lacking", [CASCADES, CASCADES[:1], CASCADES[1:]])
def test_the_authorities_to_delete_what_has_something_below_are_named_where_deletions_are_sent(
    pair: Pair, lacking: tuple[str, ...]
) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model
    has = [name for name in CASCADES if name not in lacking]
    writer = account(pair.destination, "writer", "Account-1234!", "F_UNCOMPLETE_EVENT", *has)

    held = readiness(pair.source, writer, route(), model)
    findings = readiness(pair.source, writer, route(deletes="send"), model)

    assert held == []
    assert [(one.code, one.blocking) for one in findings] == [("cascade_authority_missing", False)]
    assert [name in findings[0].remedy for name in lacking] == [True] * len(lacking)
    assert not any(name in findings[0].remedy for name in has)
    for code, name in zip(("E1100", "E1103"), CASCADES, strict=True):
        assert (code in findings[0].text) == (name in lacking)


def test_the_authority_to_open_events_again_is_named_with_the_stages_that_block_entry(
    pair: Pair,
) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model
    (stage, *_) = sorted(model.stage_elements)
    writer = account(pair.destination, "writer", "Account-1234!")

    (finding,) = readiness(pair.source, writer, route(), model)
    fields = read(pair.destination, "programStages", stage) | {"blockEntryForm": True}
    put(pair.destination, "programStages", fields)
    (blocked,) = readiness(pair.source, writer, route(), model)

    assert (finding.code, finding.blocking) == ("reopening_authority_missing", False)
    assert "F_UNCOMPLETE_EVENT" in finding.remedy
    assert "E1083" in finding.text
    assert stage not in finding.text
    assert f"{stage}, which block entry (E1326)" in blocked.text


def test_an_account_that_may_everything_lacks_no_authority(pair: Pair) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model
    grant(pair.destination, SENEGAL)

    assert readiness(pair.source, pair.destination, route(deletes="send"), model) == []


def test_a_program_assigned_to_no_org_unit_of_the_route_blocks_a_superuser_too() -> None:
    program = {"id": HIV, "organisationUnits": [{"id": "elsewhere01"}]}

    (none,) = assignment_findings("to", [program], [SENEGAL, DAKAR], whole=False)
    program["organisationUnits"] = [{"id": SENEGAL}]
    few = list(assignment_findings("to", [program], [SENEGAL, DAKAR], whole=False))
    (some,) = assignment_findings("to", [program], [SENEGAL, DAKAR], whole=True)

    assert (none.code, none.blocking) == ("program_not_assigned", True)
    assert few == []
    assert (some.code, some.blocking) == ("program_partly_assigned", False)
    assert DAKAR in some.text


def closed(client: Dhis2Client, sharing: dict[str, Any]) -> None:
    put(client, "programs", read(client, "programs", HIV) | {"sharing": sharing})


def account(client: Dhis2Client, name: str, password: str, *authorities: str) -> Dhis2Client:
    """Make an account with all org units and few authorities, and speak as that account."""
    roots = [{"id": SENEGAL}]
    user: dict[str, Any] = {"id": "UserWriter1", "username": name, "password": password}
    user |= {"firstName": name, "surname": name, "userRoles": [{"id": "RoleWriter1"}]}
    user |= {"organisationUnits": roots, "teiSearchOrganisationUnits": roots}
    role = {"id": "RoleWriter1", "name": name, "code": name, "authorities": [*authorities]}
    client.post("/api/metadata", {"userRoles": [role], "users": [user]})
    return Dhis2Client(client.url, Credentials(name, password), name=name)
