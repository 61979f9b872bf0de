"""An owner, a file or a note is written once, and done only if the server says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from client.replay import VERSIONS, recorded, replaying
from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value, delete_value, replace_value
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import PermanentError, RequestRefused, UnexpectedAnswer, UnsupportedVersion
from dhis2_api.files import File, read_event_file, upload_file
from dhis2_api.notes import add_note
from dhis2_api.ownership import read_owner, transfer_owner
from scripted_server import Reply, Request, as_json, of_version, scripted


HIV = "xsd8pFBm2w1"
OLD_OWNER, NEW_OWNER, NOWHERE = "RPIeQRab7JG", "tW15x95bXfH", "YLT0uMx8Djl"
PERSON = "mGPEjOa9jIO"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_owner_changes_by_the_words_of_the_version(version: str) -> None:
    names = ("owner-before", "owner-transfer", "owner-after")

    with replaying(version, *names) as (client, server):
        moved = transfer_owner(client, PERSON, HIV, NEW_OWNER)

    put = next(request for request in server.requests if request.method == "PUT")
    assert moved
    assert put.query == recorded(version)["owner-transfer"].params


@pytest.mark.parametrize("version", VERSIONS)
def test_the_present_owner_is_left_alone(version: str) -> None:
    with replaying(version, "owner-after") as (client, server):
        moved = transfer_owner(client, PERSON, HIV, NEW_OWNER)
        owner = read_owner(client, PERSON, HIV)

    assert not moved
    assert owner == NEW_OWNER
    assert all(request.method == "GET" for request in server.requests)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_transfer_to_nowhere_is_found_out_whatever_the_server_says(version: str) -> None:
    with replaying(version, "owner-after", "owner-transfer-unknown-ou") as (client, _):
        with pytest.raises(PermanentError):
            transfer_owner(client, PERSON, HIV, NOWHERE)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_comes_whole_and_goes_under_its_uid(version: str) -> None:
    download = "file-download-legacy" if version == "2.40.9" else "file-download-tracker"

    with replaying(version, "file-resource", download, "file-upload") as (client, server):
        file = read_event_file(client, "zSk9rTtXNse", "f7sedmUE3eD", "g61vVO04sV8")
        upload_file(client, file)

    sent = server.requests[-1]
    assert file.content.startswith(b"%PDF")
    assert file.name not in repr(file)
    assert sent.query == {"uid": "zSk9rTtXNse", "domain": "DATA_VALUE"}
    assert b'name="file"' in sent.body
    assert file.content in sent.body


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_that_is_there_is_left_alone_and_another_is_not_overwritten(version: str) -> None:
    names = ("file-upload-again", "file-resource")
    content = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    same = File("zSk9rTtXNse", "report.pdf", "application/pdf", content)
    other = File("zSk9rTtXNse", "report.pdf", "application/pdf", b"another")

    with replaying(version, *names) as (client, _):
        upload_file(client, same)
        with pytest.raises(RequestRefused, match="another file"):
            upload_file(client, other)


def test_a_page_in_the_place_of_a_file_is_no_file() -> None:
    login = Reply(200, b"<html>login</html>", "text/html")
    exchanges = recorded("2.42.4")
    known = {exchanges[n].path: exchanges[n].reply for n in ("system-info", "file-resource")}

    with scripted(lambda request: known.get(request.path, login)) as server:
        with Dhis2Client(server.url) as client, pytest.raises(UnexpectedAnswer):
            read_event_file(client, "zSk9rTtXNse", "f7sedmUE3eD", "g61vVO04sV8")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_note_is_added_by_itself_where_that_works(version: str) -> None:
    def script(request: Request) -> Reply:
        return as_json(request.body)

    with scripted(of_version(version, script)) as server, Dhis2Client(server.url) as client:
        if not dialect_of(version).notes:
            with pytest.raises(UnsupportedVersion, match="within its object"):
                add_note(client, "events", "f7sedmUE3eD", "RacTEIidemC", "secret")
            return
        add_note(client, "events", "f7sedmUE3eD", "RacTEIidemC", "secret")

    assert server.requests[-1].path == "/api/tracker/events/f7sedmUE3eD/note"
    assert server.requests[-1].body == {"note": "RacTEIidemC", "value": "secret"}


ODD: dict[str, Reply] = {
    "a web page": Reply(200, b"<html>login</html>", "text/html"),
    "nothing": Reply(200, b""),
    "an empty object": as_json({}),
    "an empty list": as_json([], 201),
    "an error with 200": as_json({"status": "ERROR"}),
    "OK to something else": as_json({"status": "OK", "httpStatusCode": 200}, 206),
}
WRITES: dict[str, Callable[[Dhis2Client], object]] = {
    "a note": lambda client: add_note(client, "events", "f7sedmUE3eD", "RacTEIidemC", "text"),
    "a new key": lambda client: create_value(client, "tracker-sync", "lease", {"owner": "one"}),
    "a key": lambda client: replace_value(client, "tracker-sync", "lease", {"owner": "one"}),
    "a key that goes": lambda client: delete_value(client, "tracker-sync", "lease"),
    "a file": lambda client: upload_file(client, File("zSk9rTtXNse", "a.txt", "text/plain", b"a")),
    "an owner": lambda client: transfer_owner(client, PERSON, HIV, NEW_OWNER),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_was_done_only_if_the_server_says_so(
    write: Callable[[Dhis2Client], object], odd: Reply
) -> None:
    owned = recorded("2.42.4")["owner-before"].reply

    def script(request: Request) -> Reply:
        return owned if request.method == "GET" else odd

    with scripted(of_version("2.42.4", script)) as server, Dhis2Client(server.url) as client:
        with pytest.raises(UnexpectedAnswer):
            write(client)

    assert [request.method for request in server.requests if request.method != "GET"] != []


@pytest.mark.parametrize(
    "write",
    [
        lambda client: upload_file(client, File("fileUidXXX1", "a.txt", "text/plain", b"a")),
        lambda client: add_note(client, "events", "eventXXXXX1", "noteXXXXXX1", "seen"),
        lambda client: transfer_owner(client, PERSON, HIV, NEW_OWNER),
    ],
    ids=["a file", "a note", "an owner"],
)
def test_a_write_at_which_the_server_breaks_down_is_refused_and_not_tried_for_ever(
    write: Callable[[Dhis2Client], object],
) -> None:
    def script(request: Request) -> Reply:
        if request.method == "GET":
            return as_json({"trackedEntity": PERSON, "programOwners": []})
        return as_json({"httpStatusCode": 500, "status": "ERROR"}, 500)

    with scripted(of_version("2.42.4", script)) as server, Dhis2Client(server.url) as client:
        with pytest.raises(RequestRefused) as refusal:
            write(client)

    assert refusal.value.status == 500
    assert len([request for request in server.requests if request.method != "GET"]) == 1
