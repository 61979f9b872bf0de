"""What four versions answer to a write becomes one value; an unknown outcome is said to be one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from client.replay import VERSIONS, in_turn, recorded
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, TransientError
from dhis2_api.importer import ImportOptions, ImportReport, Ref, delete_objects, import_objects
from dhis2_api.jobs import JobPatience
from scripted_server import Reply, Request, as_json, scripted


EVENT = Ref("EVENT", "xO95uBeNYCR")
BAD_EVENT = Ref("EVENT", "xErkEhVILCo")
SOON = JobPatience(ends=0.3, appears=0.1, first=0.01)


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
