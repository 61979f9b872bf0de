"""Does a listing show what a real server would show, its traps included?"""

from pathlib import Path

import pytest

from dhis2_sandbox.app import create_app
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from sandbox.district import EVERYWHERE, HIV, PERSON, SEX, TOKEN, Caller, caller, person, values_of


_PEOPLE = "/api/tracker/trackedEntities"


def _uids(district: Caller, **params: str | int) -> list[str]:
    page = district.get(_PEOPLE, fields="trackedEntity", **EVERYWHERE, **params)
    return [entity["trackedEntity"] for entity in page["trackedEntities"]]


def test_a_list_of_uids_is_paged_at_fifty(district: Caller) -> None:
    named = _uids(district, trackedEntityType=PERSON, pageSize=60)
    assert len(named) == 60

    page = district.get(_PEOPLE, trackedEntities=",".join(named), fields="trackedEntity")

    assert len(page["trackedEntities"]) == 50
    assert page["pager"]["pageSize"] == 50


def test_unknown_uids_are_skipped_without_a_word(district: Caller) -> None:
    named = _uids(district, trackedEntityType=PERSON, pageSize=2)

    found = district.get(_PEOPLE, trackedEntities=f"{named[0]},Nobody00001", fields="trackedEntity")

    assert found["trackedEntities"] == [{"trackedEntity": named[0]}]


def test_an_upper_bound_loses_who_changes_between_two_pages(district: Caller) -> None:
    window: dict[str, str | int] = {"program": HIV, "order": "createdAt:asc", "pageSize": 10}
    everybody = _uids(district, program=HIV, order="createdAt:asc", pageSize=100)
    before = district.get("/api/system/info")["serverDate"]
    assert len(everybody) > 20

    first = _uids(district, updatedBefore=before, page=1, **window)
    district.post({"trackedEntities": [person(first[0])]})
    second = _uids(district, updatedBefore=before, page=2, **window)

    assert everybody[10] not in first + second


def test_without_an_upper_bound_nobody_is_lost_between_two_pages(district: Caller) -> None:
    window: dict[str, str | int] = {"program": HIV, "order": "createdAt:asc", "pageSize": 10}
    everybody = _uids(district, program=HIV, order="createdAt:asc", pageSize=100)
    assert len(everybody) > 20

    first = _uids(district, updatedAfter="2020-01-01", page=1, **window)
    district.post({"trackedEntities": [person(first[0])]})
    second = _uids(district, updatedAfter="2020-01-01", page=2, **window)

    assert first + second == everybody[:20]


def test_the_program_decides_which_attributes_stand_on_the_person(district: Caller) -> None:
    uid = _uids(district, program=HIV, pageSize=1)[0]

    alone = values_of(district.get(f"{_PEOPLE}/{uid}"))
    with_program = values_of(district.get(f"{_PEOPLE}/{uid}", program=HIV))

    assert alone
    assert set(alone) < set(with_program)


def test_a_deleted_option_leaves_stored_values_as_they_are(district: Caller) -> None:
    district.post({"trackedEntities": [person("OptionOpt01", **{SEX: "F"})]})

    options = f"{district.base_url}/api/options"
    assert district.session.delete(f"{options}/FGYUJQ5e1rA", timeout=30).status_code == 200
    again = district.post({"trackedEntities": [person("OptionOpt02", **{SEX: "F"})]})

    assert values_of(district.get(f"{_PEOPLE}/OptionOpt01"))[SEX] == "F"
    assert again.json()["stats"] == {
        "created": 0,
        "updated": 0,
        "deleted": 0,
        "ignored": 1,
        "total": 1,
    }


def test_a_listing_by_type_with_deleted_ones_is_the_servers_own_error(district: Caller) -> None:
    params = {"trackedEntityType": PERSON, "includeDeleted": "true", **EVERYWHERE}

    answer = district.session.get(district.base_url + _PEOPLE, params=params, timeout=30)

    assert (answer.status_code, answer.json()["errorCode"]) == (409, "E7145")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "UTC"])
def test_a_bound_in_utc_selects_the_same_rows_in_every_zone(zone: str, data: Path) -> None:
    app = create_app(
        data, district=True, superuser=Superuser(token=TOKEN), clock=Clock(zone_name=zone)
    )
    with serve(app) as base_url:
        district = caller(base_url)
        moment = Clock().stamp()
        district.post({"trackedEntities": [person("ZoneZone001")]})

        changed = _uids(district, trackedEntityType=PERSON, updatedAfter=moment + "Z")
        earlier = _uids(
            district, trackedEntityType=PERSON, updatedBefore=moment + "Z", pageSize=500
        )

    assert changed == ["ZoneZone001"]
    assert len(earlier) == 186
