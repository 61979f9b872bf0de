"""How is tracker data written over HTTP?"""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from dhis2_sandbox.http.answers import Refused, RefusedByTomcat, json_answer, web_message
from dhis2_sandbox.http.visits import Asking
from dhis2_sandbox.imports.jobs import notifications_of, report_of, run_job
from dhis2_sandbox.imports.noting import NOTED, append_note
from dhis2_sandbox.imports.options import options_from
from dhis2_sandbox.imports.ownership import transfer


router = APIRouter(prefix="/api/tracker")


@router.post("")
def import_tracker(asking: Asking) -> Response:
    """Take a payload in, at once with async=false, as a job otherwise."""
    sandbox, options = asking.sandbox, options_from(asking.query)
    importer = sandbox.tracker_importer(delays=asking.delays)
    if (asking.query.get("async") or "true").lower() == "false":
        status, report = importer.take(asking.body, sandbox.model, asking.rights, options)
        return json_answer(report, status)
    uid = run_job(sandbox, asking.rights, (asking.body, options), asking.delays)
    response = {"id": uid, "location": f"{asking.base_url}/tracker/jobs/{uid}"}
    if sandbox.dialect.job_response_type is not None:
        response["responseType"] = sandbox.dialect.job_response_type
    return web_message(200, "Tracker job added", response=response)


@router.get("/jobs/{uid}")
def job(uid: str, asking: Asking) -> Response:
    """Answer a job's notifications; nothing for a job that never was (recordings: 198)."""
    return json_answer(notifications_of(asking.sandbox.database, uid))


@router.get("/jobs/{uid}/report")
def job_report(uid: str, asking: Asking) -> Response:
    """Answer the import report of a finished job."""
    report = report_of(asking.sandbox.database, uid)
    if report is None:
        raise Refused(404, f"Summary for job {uid} does not exist", "E1005")
    return json_answer(report)


@router.post("/{holder}/{uid}/note")
def add_note(holder: str, uid: str, asking: Asking) -> Response:
    """Add a note to an enrollment or event, of which no stamp moves (measured: Clock)."""
    if not asking.sandbox.dialect.note_endpoint or holder not in NOTED:
        raise RefusedByTomcat(404, f"No static resource {asking.request.url.path.strip('/')}.")
    return json_answer(append_note(asking.sandbox, asking.rights, (holder, uid), asking.body))


@router.put("/ownership/transfer")
def transfer_ownership(asking: Asking) -> Response:
    """Give a person in a program to another org unit (recordings: 207 to 211)."""
    query = asking.query
    place = query.get("orgUnit") or query.get("ou") or ""
    transfer(
        asking.sandbox,
        asking.rights,
        (_person_of(query), query.get("program", "")),
        place,
    )
    return web_message(200, "Ownership transferred")


def _person_of(query: Mapping[str, str]) -> str:
    """Return the person by the name that the parameter has, or had until 2.41."""
    return query.get("trackedEntity") or query.get("trackedEntityInstance") or ""
