"""A key of the data store is ours, somebody else's or nobody's, and never guessed to be ours."""

from __future__ import annotations

import pytest

from client.replay import VERSIONS, in_turn, recorded
from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value, delete_value, read_value, replace_value
from dhis2_api.errors import Dhis2Error, RequestRefused, TransientError, UnexpectedAnswer
from scripted_server import Reply, as_json, scripted


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_of_the_data_store_is_created_only_if_absent(version: str) -> None:
    names = ("create", "create-again", "read", "update", "read", "delete", "read-missing")
    exchanges = [f"datastore-{name}" for name in names]

    with in_turn(version, *exchanges) as (client, server):
        first = create_value(client, "tracker-sync", "lease", {"owner": "one"})
        second = create_value(client, "tracker-sync", "lease", {"owner": "two"})
        replace_value(client, "tracker-sync", "lease", {"owner": "three"})
        there = read_value(client, "tracker-sync", "lease")
        gone = delete_value(client, "tracker-sync", "lease")
        nothing = read_value(client, "tracker-sync", "lease")

    assert (first, second, there, gone, nothing) == (True, False, {"owner": "three"}, True, None)
    asked = [(request.method, request.path) for request in server.requests]
    assert asked == [(recorded(version)[n].method, recorded(version)[n].path) for n in exchanges]


NOT_DONE: dict[str, tuple[Reply, type[Dhis2Error]]] = {
    "another refusal": (as_json({"errorCode": "E1111"}, 409), RequestRefused),
    "a 200 nobody recorded": (as_json({"status": "OK"}), UnexpectedAnswer),
    "a gateway": (Reply(502, b""), TransientError),
    "a server that broke down": (as_json({"status": "ERROR"}, 500), TransientError),
}


@pytest.mark.parametrize(("reply", "error"), NOT_DONE.values(), ids=NOT_DONE.keys())
def test_a_lock_is_never_taken_for_granted(reply: Reply, error: type[Dhis2Error]) -> None:
    with scripted(lambda _: reply) as server, Dhis2Client(server.url) as client:
        with pytest.raises(error):
            create_value(client, "tracker-sync", "lease", {"owner": "one"})

    assert len(server.requests) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_we_created_is_ours_though_the_answer_was_lost(version: str) -> None:
    """A proxy delivers the request twice, or its sender tries again."""
    names = ("datastore-create-again", "datastore-read")

    with in_turn(version, *names, *names) as (client, server):
        ours = create_value(client, "tracker-sync", "lease", {"owner": "three"})
        theirs = create_value(client, "tracker-sync", "lease", {"owner": "four"})

    assert recorded(version)["datastore-read"].body == {"owner": "three"}
    assert (ours, theirs) == (True, False)
    assert [request.method for request in server.requests] == ["POST", "GET"] * 2


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_that_went_between_two_answers_is_not_ours(version: str) -> None:
    with in_turn(version, "datastore-create-again", "datastore-read-missing") as (client, _):
        assert not create_value(client, "tracker-sync", "lease", {"owner": "one"})


MISSING: dict[str, Reply] = {
    "no such address": as_json({"httpStatusCode": 404, "status": "ERROR"}, 404),
    "another object": as_json({"status": "ERROR", "errorCode": "E1113"}, 404),
    "a web page": Reply(404, b"<html>", "text/html"),
}


@pytest.mark.parametrize("missing", MISSING.values(), ids=MISSING.keys())
def test_a_404_of_anybody_else_says_nothing_of_a_key(missing: Reply) -> None:
    with scripted(lambda _: missing) as server, Dhis2Client(server.url) as client:
        with pytest.raises(UnexpectedAnswer):
            delete_value(client, "tracker-sync", "lease")
        with pytest.raises(UnexpectedAnswer):
            read_value(client, "tracker-sync", "lease")

    assert len(server.requests) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_that_is_gone_may_be_deleted_again(version: str) -> None:
    with in_turn(version, "datastore-delete", "datastore-read-missing") as (client, _):
        assert [delete_value(client, "tracker-sync", "lease") for _ in range(2)] == [True, False]
