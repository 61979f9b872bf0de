"""A job in the server's queue outlives the task that began it, so a retry waits for it first."""

from __future__ import annotations

from typing import Any

import pytest

from builders import MODEL, person, trees
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.jobs import JobPatience
from dhis2_api.patience import Patience
from scripted_server import Reply, Request, as_json, of_version, scripted
from shelf import Memory
from tracker_sync.outcome import Outcome
from tracker_sync.planning.plan import Past, plan
from tracker_sync.sending.delivery import deliver
from tracker_sync.sending.jobs import Jobs
from tracker_sync.sending.posting import Posting


JOB = "jobOfImport"
SOON = JobPatience(ends=2, appears=0.05, first=0.01)
STORED = {"objectReports": [{"trackerType": "TRACKED_ENTITY", "uid": "person00001"}]}
REPORT: dict[str, Any] = {
    "status": "OK",
    "validationReport": {"errorReports": []},
    "bundleReport": {"typeReportMap": {"TRACKED_ENTITY": STORED}},
}


def queue(request: Request) -> Reply:
    if request.method == "POST":
        return as_json({"response": {"id": JOB}})
    if request.path.endswith("/report"):
        return as_json(REPORT)
    return as_json([{"level": "INFO", "completed": True}])


def test_a_job_is_on_the_shelf_from_its_start_to_its_end() -> None:
    shelf = Memory()
    seen: list[list[str]] = []

    def script(request: Request) -> Reply:
        seen.append([request.path, *shelf.read()])
        return queue(request)

    (tree,) = trees(person(enrollments=[]))
    planned = plan(tree, None, Past({}, 1, MODEL))
    with scripted(of_version("2.42.4", script)) as server, Dhis2Client(server.url) as client:
        lines = deliver(client, planned, posting=Posting(jobs=Jobs(shelf, SOON)))

    assert [line.outcome for line in lines] == [Outcome.STORED]
    assert [kept for _, *kept in seen] == [[], [JOB], [JOB]]
    assert server.requests[0].query["async"] == "true"
    assert shelf.read() == []


def test_a_retry_waits_for_the_jobs_of_an_earlier_try_before_it_does_anything() -> None:
    shelf = Memory()
    shelf.write([JOB])
    answers = iter(
        [[{"level": "INFO", "completed": False}], [{"level": "INFO", "completed": True}]]
    )

    def script(request: Request) -> Reply:
        return queue(request) if request.path.endswith("/report") else as_json(next(answers))

    with scripted(script) as server, Dhis2Client(server.url) as client:
        Jobs(shelf, SOON).await_all(client)

    assert [request.path for request in server.requests] == [f"/api/tracker/jobs/{JOB}"] * 2
    assert shelf.read() == []


def test_a_job_that_a_restart_swallowed_is_not_waited_for_for_ever() -> None:
    shelf = Memory()
    shelf.write([JOB])

    with scripted(lambda _: as_json([])) as server, Dhis2Client(server.url) as client:
        Jobs(shelf, SOON).await_all(client)

    assert server.requests
    assert shelf.read() == []


def test_a_job_that_has_ended_is_not_waited_for_again_because_its_report_is_none() -> None:
    """What it did shows when the destination is compared."""
    shelf = Memory()
    shelf.write([JOB])

    def script(request: Request) -> Reply:
        return as_json({"status": "OK"}) if request.path.endswith("/report") else queue(request)

    with scripted(script) as server, Dhis2Client(server.url) as client:
        Jobs(shelf, SOON).await_all(client)

    assert server.requests
    assert shelf.read() == []


def test_a_job_stays_on_the_shelf_while_nobody_knows_whether_it_has_ended() -> None:
    shelf = Memory()

    def script(request: Request) -> Reply:
        return queue(request) if request.method == "POST" else Reply(503, b"")

    (tree,) = trees(person(enrollments=[]))
    planned = plan(tree, None, Past({}, 1, MODEL))
    one_try = Patience(budget=0)
    with (
        scripted(of_version("2.42.4", script)) as server,
        Dhis2Client(server.url, patience=one_try) as client,
    ):
        with pytest.raises(TransientError):
            deliver(client, planned, posting=Posting(jobs=Jobs(shelf, SOON)))
        assert shelf.read() == [JOB]

        with pytest.raises(TransientError):
            Jobs(shelf, SOON).await_all(client)

    assert shelf.read() == [JOB]


def test_a_job_outlives_the_kill_of_the_task_that_waits_for_it() -> None:
    shelf = Memory()

    def killed(client: Dhis2Client, job: str, patience: JobPatience) -> Any:
        raise SystemExit(143)

    (tree,) = trees(person(enrollments=[]))
    planned = plan(tree, None, Past({}, 1, MODEL))
    with (
        scripted(of_version("2.42.4", queue)) as server,
        Dhis2Client(server.url) as client,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("dhis2_api.importer.report_of_job", killed)
        with pytest.raises(SystemExit):
            deliver(client, planned, posting=Posting(jobs=Jobs(shelf, SOON)))

    assert shelf.read() == [JOB]
