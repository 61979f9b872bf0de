"""A damaged answer to a write is an error of ours, or says what was done; never more than that."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from client.mutations import mutated, seeded
from client.replay import VERSIONS, recorded
from client.test_mutations import ROUNDS, client_of, outcome
from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value, delete_value, replace_value
from dhis2_api.dialects import dialect_of
from dhis2_api.files import File, upload_file
from dhis2_api.notes import add_note
from dhis2_api.ownership import transfer_owner
from scripted_server import Reply, Request, as_json, scripted


Use = Callable[[Dhis2Client], Any]

PERSON, HIV = "mGPEjOa9jIO", "xsd8pFBm2w1"
OLD_OWNER, NEW_OWNER = "RPIeQRab7JG", "tW15x95bXfH"
FILE = File("zSk9rTtXNse", "report.pdf", "application/pdf", b"other bytes than the recorded")


def done(use: Use) -> Use:
    """Give a write that returns nothing a result: it came to its end."""
    return lambda client: use(client) is None


def create(client: Dhis2Client) -> bool:
    return create_value(client, "a", "b", {"owner": "one"})


def delete(client: Dhis2Client) -> bool:
    return delete_value(client, "a", "b")


UPLOAD = done(lambda client: upload_file(client, FILE))

# What is done -> the recorded answer that says so.
DONE: dict[str, tuple[str, Use]] = {
    "a new key": ("datastore-create", create),
    "a key": (
        "datastore-update",
        done(lambda client: replace_value(client, "a", "b", {"owner": "one"})),
    ),
    "a key that goes": ("datastore-delete", delete),
    "a file": ("file-upload", UPLOAD),
    "an owner": (
        "owner-transfer",
        lambda client: transfer_owner(client, PERSON, HIV, NEW_OWNER),
    ),
}
# What is not done, nor said to be; the key that is read back is not ours.
NOT_DONE: dict[str, tuple[str, Use]] = {
    "a key of others": ("datastore-create-again", create),
    "a key that is gone": ("datastore-read-missing", delete),
    "another file": ("file-upload-again", UPLOAD),
}


class Damaged:
    """A server that reads out what was recorded, and answers each write with one damaged answer.

    After a write it names the new owner, whatever it says.
    """

    def __init__(self, version: str) -> None:
        self.known = recorded(version)
        self.reply = Reply(200, b"")
        self.written = False

    def answer(self, request: Request) -> Reply:
        if request.method == "GET":
            return self._read(request.path)
        self.written = True
        return self.reply

    def _read(self, path: str) -> Reply:
        if path.startswith("/api/tracker/trackedEntities/"):
            return self.known["owner-after" if self.written else "owner-before"].reply
        kinds = {"system": "system-info", "dataStore": "datastore-read"}
        return self.known[kinds.get(path.split("/")[2], "file-resource")].reply


@pytest.mark.parametrize("version", VERSIONS)
def test_a_damaged_answer_never_makes_a_write_done(version: str) -> None:
    random, server = seeded(version), Damaged(version)
    errors = 0
    with scripted(server.answer) as running:
        for _ in range(ROUNDS // 8):
            what, (name, use) = random.choice([*(DONE | NOT_DONE).items()])
            whole = recorded(version)[name].reply
            server.reply = Reply(whole.status, mutated(whole.body, random), whole.kind)
            server.written = False
            with client_of(running.url) as client:
                found = outcome(use, client)
            if found:
                assert what in DONE
                assert says_ok(server.reply.body), (what, server.reply.body)
            errors += found is None
            running.requests.clear()
    assert errors > ROUNDS // 32


def says_ok(body: bytes) -> bool:
    return bool(json.loads(body)["status"] == "OK")


def test_what_is_done_whole_is_done_and_the_rest_is_not() -> None:
    for version in VERSIONS:
        for name, use in [*DONE.values(), *NOT_DONE.values()]:
            server = Damaged(version)
            server.reply = recorded(version)[name].reply
            with scripted(server.answer) as running, client_of(running.url) as client:
                assert bool(outcome(use, client)) is (name in dict(DONE.values()))


@pytest.mark.parametrize("version", [v for v in VERSIONS if dialect_of(v).notes])
def test_a_damaged_note_is_added_only_if_its_uid_came_back(version: str) -> None:
    """The endpoint answers the note that it was sent (DHIS2's own source: no recording has it)."""
    whole = as_json({"note": "RacTEIidemC", "storedAt": None, "value": "text", "createdBy": None})
    random, server, seen = seeded(version), Damaged(version), set()
    add = done(lambda client: add_note(client, "events", "f7sedmUE3eD", "RacTEIidemC", "text"))
    with scripted(server.answer) as running, client_of(running.url) as client:
        for _ in range(ROUNDS // 16):
            server.reply = Reply(200, mutated(whole.body, random), whole.kind)
            found = outcome(add, client)
            seen.add(found)
            assert not found or json.loads(server.reply.body)["note"] == "RacTEIidemC"
            running.requests.clear()
    assert seen == {None, True}
