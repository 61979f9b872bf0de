"""What four versions answer to a write becomes one value; an unknown outcome is said to be one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from client.replay import VERSIONS, recorded, replaying
from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value, delete_value, read_value, replace_value
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import (
    Dhis2Error,
    PermanentError,
    RequestRefused,
    TransientError,
    UnexpectedAnswer,
    UnsupportedVersion,
)
from dhis2_api.files import File, read_event_file, upload_file
from dhis2_api.importer import ImportOptions, ImportReport, Ref, delete_objects, import_objects
from dhis2_api.jobs import JobPatience
from dhis2_api.notes import add_note
from dhis2_api.ownership import read_owner, transfer_owner
from scripted_server import Reply, Request, ScriptedServer, as_json, of_version, scripted


EVENT = Ref("EVENT", "xO95uBeNYCR")
BAD_EVENT = Ref("EVENT", "xErkEhVILCo")
SOON = JobPatience(ends=0.3, appears=0.1, first=0.01)
HIV = "xsd8pFBm2w1"
OLD_OWNER, NEW_OWNER, NOWHERE = "RPIeQRab7JG", "tW15x95bXfH", "YLT0uMx8Djl"
PERSON = "mGPEjOa9jIO"


def answered(version: str, name: str) -> ImportReport:
    """Send anything to a server that answers with one recorded report."""
    reply = recorded(version)[name].reply
    with scripted(lambda _: reply) as server, Dhis2Client(server.url) as client:
        return import_objects(client, {"events": []})


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_of_an_accepted_request_is_stored(version: str) -> None:
    stats = recorded(version)["import-five"].body["stats"]

    report = answered(version, "import-five")

    assert len(report.stored) == stats["created"] + stats["updated"] == 39
    assert report.refused == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_one_refused_object_of_many_is_told_from_the_stored_ones(version: str) -> None:
    report = answered(version, "mixed-atomic-object")

    assert report.refused == {BAD_EVENT: ("E1302",)}
    assert len(report.stored) == 2
    assert BAD_EVENT not in report.stored


@pytest.mark.parametrize("version", VERSIONS)
def test_a_409_that_is_a_report_stores_nothing(version: str) -> None:
    report = answered(version, "mixed-atomic-all")

    assert report == ImportReport(frozenset(), {BAD_EVENT: ("E1302",)})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_malformed_uid_refuses_the_object_or_the_request_never_nothing(version: str) -> None:
    name = "refused-E1048-malformed-uid"
    if version.startswith(("2.40", "2.41")):
        assert list(answered(version, name).refused.values()) == [("E1048",)]
        return

    with pytest.raises(RequestRefused):
        answered(version, name)


@pytest.mark.parametrize("name", ["malformed-json", "status-scheduled", "scenario-nul-neighbours"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_that_fails_as_a_whole_is_refused_as_a_whole(version: str, name: str) -> None:
    assert recorded(version)[name].status >= 400

    with pytest.raises(RequestRefused) as error:
        answered(version, name)

    assert error.value.status == recorded(version)[name].status


@pytest.mark.parametrize(
    "broken", [as_json({"status": "ERROR"}, 500), Reply(500, b"<html>", "text/html")]
)
def test_an_import_a_server_broke_down_at_is_a_request_to_halve(broken: Reply) -> None:
    """What a NUL does (recordings: 372-scenario-nul-neighbours), whoever says so."""
    with scripted(lambda _: broken) as server, Dhis2Client(server.url) as client:
        with pytest.raises(RequestRefused) as error:
            import_objects(client, {"events": []})

    assert error.value.status == 500
    assert len(server.requests) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_so_already_is_remarked_and_not_refused(version: str) -> None:
    notes = answered(version, "notes-sent-again")
    relationships = answered(version, "import-relationships-again")

    assert {code for codes in notes.warnings.values() for code in codes} == {"E1119"}
    assert notes.refused == relationships.refused == {}
    assert {code for codes in relationships.warnings.values() for code in codes} == {"E4015"}


@pytest.mark.parametrize("version", VERSIONS)
def test_deleting_twice_is_as_good_as_once(version: str) -> None:
    with in_turn(version, "delete-event", "delete-event-again") as (client, server):
        first = delete_objects(client, [EVENT])
        second = delete_objects(client, [EVENT])

    assert first == second == ImportReport(frozenset({EVENT}), {})
    assert server.requests[0].body == {"events": [{"event": EVENT.uid}]}
    assert server.requests[0].query["importStrategy"] == "DELETE"


@contextmanager
def in_turn(version: str, *names: str) -> Iterator[tuple[Dhis2Client, ScriptedServer]]:
    """Answer the requests with recorded answers in turn, whatever is sent."""
    replies = iter([recorded(version)[name].reply for name in names])
    with scripted(lambda _: next(replies)) as server, Dhis2Client(server.url) as client:
        yield client, server


def test_objects_are_deleted_children_first_in_requests_of_their_own() -> None:
    order = ["RELATIONSHIP", "EVENT", "ENROLLMENT", "TRACKED_ENTITY"]
    refs = [Ref(kind, f"{kind.lower()[:5]}{i:06}") for kind in reversed(order) for i in (2, 1)]

    def script(request: Request) -> Reply:
        ((name, items),) = request.body.items()
        kind = {"relationships": "RELATIONSHIP", "events": "EVENT"}.get(
            name, "ENROLLMENT" if name == "enrollments" else "TRACKED_ENTITY"
        )
        objects = [{"trackerType": kind, "uid": uid} for item in items for uid in item.values()]
        bundle = {"typeReportMap": {kind: {"objectReports": objects}}}
        return as_json(
            {"status": "OK", "validationReport": {"errorReports": []}, "bundleReport": bundle}
        )

    with scripted(script) as server, Dhis2Client(server.url) as client:
        report = delete_objects(client, refs)

    assert report.stored == set(refs)
    lists = [[*request.body] for request in server.requests]
    assert lists == [["relationships"], ["events"], ["enrollments"], ["trackedEntities"]]


def test_every_option_is_sent_and_a_copy_changes_and_tells_nothing() -> None:
    body = {"status": "OK", "validationReport": {"errorReports": []}}
    options = ImportOptions(
        strategy="UPDATE",
        atomic="ALL",
        validate_only=True,
        validation="FAIL_FAST",
        flush="OBJECT",
        skip_rules=False,
        skip_side_effects=False,
        schemes={"orgUnitIdScheme": "CODE"},
    )

    with scripted(lambda _: as_json(body)) as server, Dhis2Client(server.url) as client:
        import_objects(client, {"events": []})
        import_objects(client, {"events": []}, options)

    plain, chosen = (request.query for request in server.requests)
    assert plain == {
        "async": "false",
        "importMode": "COMMIT",
        "importStrategy": "CREATE_AND_UPDATE",
        "atomicMode": "OBJECT",
        "flushMode": "AUTO",
        "validationMode": "FULL",
        "reportMode": "FULL",
        "skipRuleEngine": "true",
        "skipSideEffects": "true",
    }
    assert chosen == {
        "async": "false",
        "importMode": "VALIDATE",
        "importStrategy": "UPDATE",
        "atomicMode": "ALL",
        "flushMode": "OBJECT",
        "validationMode": "FAIL_FAST",
        "reportMode": "FULL",
        "skipRuleEngine": "false",
        "skipSideEffects": "false",
        "orgUnitIdScheme": "CODE",
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_a_job_is_waited_for_and_its_report_is_the_same_value(version: str) -> None:
    polls = [name for name in ("async-job-0", "async-job-1") if name in recorded(version)]
    expected = recorded(version)["async-report"].body["stats"]

    with in_turn(version, "async-import", *polls, "async-report") as (client, server):
        report = import_objects(client, {"events": []}, ImportOptions(job=SOON))

    assert server.requests[0].query["async"] == "true"
    assert len(report.stored) == expected["updated"] > 0


LOST: dict[str, Callable[[str], Reply]] = {
    "unknown for ever": lambda _: as_json([]),
    "never done": lambda _: as_json([{"level": "INFO", "completed": False}]),
    "died without a report": lambda path: (
        as_json({"httpStatusCode": 404}, 404)
        if path.endswith("report")
        else as_json([{"level": "ERROR", "completed": True}])
    ),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
def test_a_lost_job_is_an_unknown_outcome(answer: Callable[[str], Reply]) -> None:
    def script(request: Request) -> Reply:
        if request.method == "POST":
            return as_json({"response": {"id": "vWd9DdFsdJe"}})
        return answer(request.path)

    with scripted(script) as server, Dhis2Client(server.url) as client:
        with pytest.raises(TransientError):
            import_objects(client, {"events": []}, ImportOptions(job=SOON))

    assert sum(request.method == "POST" for request in server.requests) == 1


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
