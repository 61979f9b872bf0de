"""Would the servers let this route's data through?"""

from __future__ import annotations

from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.system import read_account
from servers import DAKAR, HIV, SENEGAL, Pair, grant, put, read, route
from tracker_sync.metadata import synchronise
from tracker_sync.readiness import readiness


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


def test_a_program_closed_to_everybody_is_told_to_an_account_without_authorities(
    pair: Pair,
) -> None:
    grant(pair.source, SENEGAL)
    model = synchronise(pair.source, pair.destination, route()).model
    program = read(pair.destination, "programs", HIV)
    put(pair.destination, "programs", program | {"sharing": {"public": "rw------"}})
    writer = account(pair.destination, "writer", "Account-1234!")

    findings = readiness(pair.source, writer, route(), model)

    assert [(finding.code, finding.blocking) for finding in findings] == [
        ("data_write_not_public", False)
    ]
    assert f"programs {HIV}" in findings[0].text


def account(client: Dhis2Client, name: str, password: str) -> Dhis2Client:
    """Make an account with all org units and no authorities, and speak as that account."""
    roots = [{"id": SENEGAL}]
    user: dict[str, Any] = {"id": "UserWriter1", "username": name, "password": password}
    user |= {"firstName": name, "surname": name, "userRoles": [{"id": "RoleWriter1"}]}
    user |= {"organisationUnits": roots, "teiSearchOrganisationUnits": roots}
    role = {"id": "RoleWriter1", "name": name, "code": name, "authorities": []}
    client.post("/api/metadata", {"userRoles": [role], "users": [user]})
    return Dhis2Client(client.url, Credentials(name, password), name=name)
