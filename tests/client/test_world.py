"""What the tests make on a server they remove, whatever goes wrong, or they say that it stayed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from client.world import new_uid, new_world, played, remove
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, Unauthorized
from dhis2_api.reading import read_by_uid
from scripted_server import Reply, as_json, scripted


def there_is(client: Dhis2Client, uid: str) -> dict[str, set[str]]:
    """Return what the server has: metadata of two kinds by name, and a person if it is there."""
    found = {}
    for plural in ("organisationUnits", "programs"):
        answer = client.get(f"/api/{plural}", {"fields": "id,name", "paging": "false"})
        found[plural] = {item["name"] for item in answer[plural]}
    people = read_by_uid(client, "trackedEntities", [uid], "trackedEntity")
    return found | {"people": {person["trackedEntity"] for person in people}}


def fail_in_a_world(client: Dhis2Client, uid: str) -> None:
    with ExitStack() as undo:
        world = new_world(client, undo)
        lists = world.enrolled(1)
        lists["trackedEntities"][0]["trackedEntity"] = uid
        lists["enrollments"][0]["trackedEntity"] = uid
        assert world.send(**lists).refused == {}
        found = there_is(client, uid)
        assert [len(found[kind]) for kind in ("organisationUnits", "programs", "people")] == [
            3,
            2,
            1,
        ]
        raise ZeroDivisionError


def test_a_test_that_fails_leaves_nothing_but_the_program_of_deleted_people(tmp_path: Path) -> None:
    uid = new_uid()

    with played("2.42.4", tmp_path) as client:
        before = there_is(client, uid)
        with (
            pytest.warns(UserWarning, match="left behind: /api/programs/") as told,
            pytest.raises(ZeroDivisionError),
        ):
            fail_in_a_world(client, uid)
        after = there_is(client, uid)

    left = after.pop("programs") - before.pop("programs")
    assert after == before
    # Their program, its stage, type and element (E4030): an administrator may purge them.
    assert (len(left), len(told)) == (1, 4)


PATH = "/api/programs/xsd8pFBm2w1"
KEPT: dict[str, tuple[Reply, type[Exception]]] = {
    "a right that lacks": (as_json({}, 403), Unauthorized),
    "another refusal": (as_json({"errorCode": "E9999"}, 409), RequestRefused),
}


@pytest.mark.parametrize(("reply", "error"), KEPT.values(), ids=KEPT.keys())
def test_what_a_server_does_not_delete_fails(reply: Reply, error: type[Exception]) -> None:
    with scripted(lambda _: reply) as server, Dhis2Client(server.url) as client:
        with pytest.raises(error):
            remove(client, PATH)


def test_what_deleted_people_hold_is_named_and_what_is_gone_is_not() -> None:
    replies = iter([as_json({"errorCode": "E4030"}, 409), as_json({}, 404)])

    with scripted(lambda _: next(replies)) as server, Dhis2Client(server.url) as client:
        with pytest.warns(UserWarning, match=f"left behind: {PATH}"):
            remove(client, PATH)
        remove(client, PATH)

    assert [request.method for request in server.requests] == ["DELETE"] * 2
