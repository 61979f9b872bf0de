"""How does an import run beside the request that asked for it?"""

import json
import threading
from typing import Any

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.database import Database
from dhis2_sandbox.faults.delays import Delays
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.imports.options import TrackerOptions
from dhis2_sandbox.sandbox import Sandbox


_ONE_AFTER_ANOTHER = threading.Lock()


def run_job(
    sandbox: Sandbox, rights: Rights, work: tuple[bytes, TrackerOptions], delays: Delays
) -> str:
    """Start an import and return the job's UID. Jobs run one after another (tracker-api 3.5)."""
    uid = new_uid()
    _notify(sandbox, uid, "Tracker import started", completed=False)

    def carry_out() -> None:
        with _ONE_AFTER_ANOTHER:
            _import(sandbox, rights, uid, (*work, delays))

    threading.Thread(target=carry_out, name=f"import job {uid}", daemon=True).start()
    return uid


def notifications_of(database: Database, uid: str) -> list[Any]:
    """Return what a job said, newest first; an empty list for a job that never was."""
    with database.reading() as connection:
        row = connection.execute("SELECT notifications FROM job WHERE uid = ?", (uid,)).fetchone()
    return [] if row is None else list(json.loads(row["notifications"]))


def report_of(database: Database, uid: str) -> dict[str, Any] | None:
    """Return the import report of a finished job, or None."""
    with database.reading() as connection:
        row = connection.execute("SELECT report FROM job WHERE uid = ?", (uid,)).fetchone()
    return None if row is None or row["report"] is None else dict(json.loads(row["report"]))


def _import(
    sandbox: Sandbox, rights: Rights, uid: str, work: tuple[bytes, TrackerOptions, Delays]
) -> None:
    body, options, delays = work
    importer = sandbox.tracker_importer(delays=delays)
    try:
        _, report = importer.take(body, sandbox.model, rights, options)
    except Refused as refusal:
        _notify(sandbox, uid, refusal.message, completed=True, level="ERROR")
        return
    counts = ", ".join(
        f"{report['stats'][name]} {name}" for name in ("created", "updated", "deleted", "ignored")
    )
    message = f"Import complete with status {report['status']}, {counts}"
    _notify(sandbox, uid, message, completed=True, report=report)


def _notify(
    sandbox: Sandbox,
    uid: str,
    message: str,
    *,
    completed: bool,
    level: str = "INFO",
    report: dict[str, Any] | None = None,
) -> None:
    own = new_uid()
    said = {
        "level": level,
        "category": "TRACKER_IMPORT_JOB",
        "message": message,
        "completed": completed,
        "id": own,
        "time": sandbox.clock.stamp(),
        "uid": own,
    }
    earlier = notifications_of(sandbox.database, uid)
    with sandbox.database.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO job VALUES (?, ?, ?)",
            (uid, json.dumps([said, *earlier]), json.dumps(report) if report else None),
        )
