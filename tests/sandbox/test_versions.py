"""Does each version lose, refuse and ignore what its real server does?

What the recordings do not show in one exchange: it takes several requests, or two accounts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from dhis2_sandbox.app import create_app
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from dhis2_sandbox.versions import DIALECTS
from sandbox.district import FACILITY, HIV, PERSON, ROOT, TOKEN, Caller, caller, person


_PEOPLE = "/api/tracker/trackedEntities"
_MATERNAL = "m8nERzkN6j4"
_VERSIONS = sorted(DIALECTS)
_REGION = "YGeDprhfds1"
_CLERK = "AccountClk1"


@contextmanager
def _district(version: str, data: Path) -> Iterator[Caller]:
    app = create_app(data, district=True, superuser=Superuser(token=TOKEN), version=version)
    with serve(app) as base_url:
        yield caller(base_url)


def _everywhere(version: str) -> dict[str, str]:
    dialect = DIALECTS[version]
    name, _ = dialect.org_units["trackedEntities"][0]
    return {name: ROOT, dialect.org_unit_modes[0]: "DESCENDANTS"}


def _rows(version: str, answer: dict[str, Any], name: str = "trackedEntities") -> list[Any]:
    rows: list[Any] = answer[DIALECTS[version].rows_member or name]
    return rows


def _uids(version: str, district: Caller, **params: Any) -> list[str]:
    answer = district.get(_PEOPLE, fields="trackedEntity", **params)
    return [row["trackedEntity"] for row in _rows(version, answer)]


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_page_of_uids_without_program_counts_enrollments_on_2_40(
    version: str, data: Path
) -> None:
    with _district(version, data) as district:
        where = _everywhere(version)
        people = _uids(version, district, program=_MATERNAL, pageSize=30, **where)
        name, separator = DIALECTS[version].uid_lists["trackedEntities"][0]
        assert len(people) == 30

        page = _uids(version, district, **{name: separator.join(people)}, pageSize=30)
        roomy = _uids(version, district, **{name: separator.join(people)}, pageSize=90)

    assert set(roomy) == set(people)
    assert (len(page) < 30) == (version == "2.40.9")


@pytest.mark.parametrize("version", _VERSIONS)
def test_pages_come_out_short_before_2_42_where_the_owner_is_not_open(
    version: str, data: Path
) -> None:
    with _district(version, data) as district:
        _close_program(district)
        clerk = _clerk(district)

        first = _uids(version, clerk, program=HIV, pageSize=10, **_everywhere(version))
        last = _uids(version, clerk, program=HIV, pageSize=200, **_everywhere(version))

    assert 0 < len(last) < 67
    assert (len(first) < 10) == (version in {"2.40.9", "2.41.8"})


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_other_dialects_org_unit_is_refused_or_ignored(version: str, data: Path) -> None:
    theirs = "orgUnits" if version == "2.40.9" else "orgUnit"
    with _district(version, data) as district:
        url = district.base_url + _PEOPLE
        params = {"program": HIV, theirs: FACILITY, "pageSize": "200", "fields": "orgUnit"}

        answer = district.session.get(url, params=params, timeout=30)
        everything = _uids(version, district, program=HIV, pageSize=200, **_everywhere(version))

    rows = _rows(version, answer.json()) if answer.ok else []
    assert answer.status_code == (409 if version == "2.40.9" else 200)
    filtered = 0 < len(rows) < len(everything)
    assert filtered == (version == "2.41.8"), "only 2.41 knows both names"
    assert version < "2.42" or len(rows) == len(everything)


@pytest.mark.parametrize("version", _VERSIONS)
def test_only_2_43_sees_an_ownership_transfer_as_an_update(version: str, data: Path) -> None:
    with _district(version, data) as district:
        uid = _uids(version, district, program=HIV, **_everywhere(version))[0]
        before = district.get(f"{_PEOPLE}/{uid}", fields="updatedAt")["updatedAt"]
        place = "ou" if version < "2.42" else "orgUnit"
        url = f"{district.base_url}/api/tracker/ownership/transfer"
        params = {"trackedEntity": uid, "program": HIV, place: ROOT}
        params["trackedEntityInstance"] = uid

        assert district.session.put(url, params=params, timeout=30).ok

        after = district.get(f"{_PEOPLE}/{uid}", program=HIV, fields="updatedAt,programOwners")
    assert [owner["orgUnit"] for owner in after["programOwners"] if owner["program"] == HIV] == [
        ROOT
    ]
    assert (after["updatedAt"] > before) == (version == "2.43.1")


@pytest.mark.parametrize("version", _VERSIONS)
def test_older_addresses_write_and_read_before_2_42(version: str, data: Path) -> None:
    sent = {
        "trackedEntityInstance": "LegacyLeg01",
        "trackedEntityType": PERSON,
        "orgUnit": FACILITY,
        "attributes": [],
    }
    with _district(version, data) as district:
        url = f"{district.base_url}/api/trackedEntityInstances"

        written = district.session.post(url, json={"trackedEntityInstances": [sent]}, timeout=30)
        read = district.session.get(
            url, params={"trackedEntityInstance": "LegacyLeg01"}, timeout=30
        )

    if version < "2.42":
        assert written.json()["response"]["imported"] == 1
        rows = read.json()["trackedEntityInstances"]
        assert [row["trackedEntityInstance"] for row in rows] == ["LegacyLeg01"]
    else:
        assert (written.status_code, read.status_code) == (404, 404)


def test_equal_stamps_lose_rows_on_2_40_when_one_changes_between_pages(data: Path) -> None:
    version, status = "2.40.9", {"order": "inactive:asc"}
    with _district(version, data) as district:
        where = {**_everywhere(version), **status, "program": HIV, "pageSize": 10}
        everybody = set(_uids(version, district, **(where | {"pageSize": 200})))
        first = _uids(version, district, **where, page=1)
        again = person(first[0]) | {"orgUnit": FACILITY}

        assert district.post({"trackedEntities": [again]}).json()["stats"]["updated"] == 1

        read = set(first)
        for page in range(2, 9):
            read |= set(_uids(version, district, **where, page=page))
    assert len(everybody - read) == 1


def _close_program(district: Caller) -> None:
    """Make the program one that is open to capture scopes only."""
    program = district.get(f"/api/programs/{HIV}", fields=":owner")
    closed = {"programs": [program | {"accessLevel": "CLOSED"}]}
    response = district.session.post(f"{district.base_url}/api/metadata", json=closed, timeout=30)
    assert response.ok, response.text


def _clerk(district: Caller) -> Caller:
    """Return an account that may search everywhere and capture in one region."""
    user = {
        "id": _CLERK,
        "username": "clerk",
        "firstName": "Coumba",
        "surname": "Fall",
        "password": "Account-1234!",
        "userRoles": [],
        "organisationUnits": [{"id": _REGION}],
        "teiSearchOrganisationUnits": [{"id": ROOT}],
    }
    url = f"{district.base_url}/api/metadata"
    assert district.session.post(url, json={"users": [user]}, timeout=30).ok
    session = requests.Session()
    session.auth = ("clerk", "Account-1234!")
    return Caller(district.base_url, session)


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_relationship_both_ways_moves_the_stamps_of_both_ends(version: str, data: Path) -> None:
    with _district(version, data) as district:
        params = {"program": _MATERNAL, "pageSize": 200, **_everywhere(version)}
        params |= {"fields": "trackedEntity,relationships[relationship,from,to]"}
        rows = _rows(version, district.get(_PEOPLE, **params))
        link = next(row["relationships"][0] for row in rows if row["relationships"])
        ends = [link[end]["trackedEntity"]["trackedEntity"] for end in ("from", "to")]
        before = [district.get(f"{_PEOPLE}/{end}", fields="updatedAt") for end in ends]

        gone = {"relationships": [{"relationship": link["relationship"]}]}
        assert district.post(gone, importStrategy="DELETE").json()["stats"]["deleted"] == 1

        after = [district.get(f"{_PEOPLE}/{end}", fields="updatedAt") for end in ends]
    moved = [new["updatedAt"] > old["updatedAt"] for old, new in zip(before, after, strict=True)]
    assert moved == [True, True]
