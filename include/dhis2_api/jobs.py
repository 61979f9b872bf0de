"""Import jobs: how a request in the server's queue comes to its report, or is lost."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pydantic import BaseModel, TypeAdapter, ValidationError

from dhis2_api.answers import Answer
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError, UnexpectedAnswer
from dhis2_api.import_report import ImportReport, read_report


@dataclass(frozen=True, slots=True)
class JobPatience:
    """How long a job may take, in seconds.

    Attributes:
        ends: Until it is done; one import runs at a time, with all others' before it.
        appears: Until the server first says anything of it. An unknown job and one that
            a restart swallowed are answered alike, by nothing (measured), and 2.41 and
            newer may take 20 s to begin (tracker-api 3.5).
        first: The first pause between two questions; it doubles from then on.
        longest: What it doubles up to.
    """

    ends: float = 1800.0
    appears: float = 120.0
    first: float = 0.25
    longest: float = 10.0


class JobLost(TransientError):
    """A server says no more of a job: it is over, or was never begun."""


class _Response(BaseModel):
    id: str


class _Started(BaseModel):
    response: _Response


class _Notice(BaseModel):
    level: str
    completed: bool


_Notices = TypeAdapter(list[_Notice])


def started_job(answer: Answer) -> str:
    """Return the UID of the job an answer says it has started.

    Raises:
        UnexpectedAnswer: It names none.
    """
    try:
        return _Started.model_validate(answer.json()).response.id
    except ValidationError:
        raise UnexpectedAnswer(f"{answer.what} answered {answer.status} without a job") from None


def report_of_job(client: Dhis2Client, job: str, patience: JobPatience) -> ImportReport:
    """Wait for a job and return its report.

    Raises:
        JobLost: The outcome is unknown, and nothing goes on: it is lost, or died without a report.
        TransientError: It takes too long, or the server is away; it may go on.
        UnexpectedAnswer: An answer is none about a job.
    """
    await_job(client, job, patience)
    path = f"/api/tracker/jobs/{job}"
    answer = client.request("GET", f"{path}/report", params={"reportMode": "FULL"}, also={404, 409})
    if answer.status == 404:
        raise JobLost(f"{client.name}: job {job} ended without a report: read back")
    return read_report(answer)


def await_job(client: Dhis2Client, job: str, patience: JobPatience) -> None:
    """Wait until a job has ended, however; raises as `report_of_job` does."""
    path = f"/api/tracker/jobs/{job}"
    began = time.monotonic()
    pause = patience.first
    while True:
        notices = _notices(client.request("GET", path))
        if any(notice.completed for notice in notices):
            return
        waited = time.monotonic() - began
        if waited > (patience.ends if notices else patience.appears):
            told = f"{client.name}: GET {path}", f"after {waited:.0f} s"
            if notices:
                raise TransientError(" is not done ".join(told))
            raise JobLost(" is unknown to the server ".join(told))
        time.sleep(pause)
        pause = min(2 * pause, patience.longest)


def _notices(answer: Answer) -> list[_Notice]:
    try:
        return _Notices.validate_python(answer.json())
    except ValidationError:
        raise UnexpectedAnswer(f"{answer.what} answered no list of notices") from None
