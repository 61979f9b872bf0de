"""Writing tracker data: one import request, waited for here or by the server's job queue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from dhis2_api.answers import refuse_if_broken
from dhis2_api.client import Dhis2Client
from dhis2_api.import_report import KEYS, LISTS, ImportReport, Ref, read_report, refs_of
from dhis2_api.jobs import JobPatience, report_of_job, started_job


__all__ = [
    "CHILDREN_FIRST",
    "ImportOptions",
    "ImportReport",
    "Ref",
    "delete_objects",
    "import_objects",
    "refs_of",
]

Strategy = Literal["CREATE", "UPDATE", "CREATE_AND_UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a request is imported; every option is sent.

    The documentation and the servers disagree on the defaults (tracker-api 3.1). Rules
    and side effects are off: a copy must not change values, and must not send messages
    to patients (reliability F18).

    Attributes:
        strategy: What is done with the objects.
        atomic: Whether one refused object refuses all (`ALL`) or itself (`OBJECT`).
        validate_only: Whether nothing is written.
        validation: `SKIP` is silently `FULL` for all but superusers (measured).
        flush: `OBJECT` writes one by one, which is slow.
        skip_rules: Whether program rules are left out.
        skip_side_effects: Whether messages and notifications are left out.
        schemes: How metadata is named, e.g. `{"orgUnitIdScheme": "CODE"}`; UIDs if not said.
        job: Set to import by the server's queue, which takes one request at a time.
        on_job: Called with the UID of such a job before it is waited for.
    """

    strategy: Strategy = "CREATE_AND_UPDATE"
    atomic: Literal["ALL", "OBJECT"] = "OBJECT"
    validate_only: bool = False
    validation: Literal["FULL", "FAIL_FAST", "SKIP"] = "FULL"
    flush: Literal["AUTO", "OBJECT"] = "AUTO"
    skip_rules: bool = True
    skip_side_effects: bool = True
    schemes: Mapping[str, str] = field(default_factory=dict)
    job: JobPatience | None = None
    on_job: Callable[[str], None] = lambda _: None

    def params(self) -> dict[str, str]:
        """Return the options as DHIS2 spells them, alike in all versions (tracker-api 3.1)."""
        return {
            "async": "true" if self.job else "false",
            "importMode": "VALIDATE" if self.validate_only else "COMMIT",
            "importStrategy": self.strategy,
            "atomicMode": self.atomic,
            "flushMode": self.flush,
            "validationMode": self.validation,
            "reportMode": "FULL",  # else its warnings are missing (tracker-api 3.3)
            "skipRuleEngine": str(self.skip_rules).lower(),
            "skipSideEffects": str(self.skip_side_effects).lower(),
            **self.schemes,
        }


AS_A_COPY = ImportOptions()


def import_objects(
    client: Dhis2Client, payload: Mapping[str, Any] | bytes, options: ImportOptions = AS_A_COPY
) -> ImportReport:
    """Send one payload of lists (`trackedEntities`, `enrollments`, `events`, `relationships`).

    The payload may be JSON text already. Each list holds objects with their UIDs, since a
    server gives an object without one a new UID, and a repeated request would make a second
    object.

    Raises:
        RequestRefused: The server refused the request as a whole, or broke down at it (500).
            It keeps nothing of it then (measured: a NUL character), and one object may be to
            blame: send it again in halves, which does no harm to what it kept after all.
        TransientError: The outcome is unknown.
        UnexpectedAnswer: The answer is no import report.
    """
    answer = client.post("/api/tracker", payload, options.params(), also={409, 500})
    refuse_if_broken(answer)
    if options.job and answer.status != 409:
        job = started_job(answer)
        options.on_job(job)
        report = report_of_job(client, job, options.job)
    else:
        report = read_report(answer)
    client.tell(report)
    return report


#: What hangs below a deleted object is deleted with it, or refuses its deletion (tracker-api 4,
#: Soft-deleted).
CHILDREN_FIRST = ("RELATIONSHIP", "EVENT", "ENROLLMENT", "TRACKED_ENTITY")

# What is not there, or was deleted before (measured: delete-…).
_GONE = frozenset({"E1063", "E1081", "E1032", "E4016", "E1114", "E1113", "E1082", "E4017"})


def delete_objects(
    client: Dhis2Client, refs: Collection[Ref], options: ImportOptions = AS_A_COPY
) -> ImportReport:
    """Delete objects, each kind in a request of its own, and report them as one.

    An object that is gone already counts as deleted: it stands under `stored`.

    Raises:
        RequestRefused: The server refused a request as a whole; earlier kinds are deleted.
        TransientError: The outcome is unknown; deleting again does no harm.
        UnexpectedAnswer: An answer is no import report.
    """
    stored: set[Ref] = set()
    refused: dict[Ref, tuple[str, ...]] = {}
    for kind in CHILDREN_FIRST:
        uids = sorted({ref.uid for ref in refs if ref.kind == kind})
        if not uids:
            continue
        payload = {LISTS[kind]: [{KEYS[kind]: uid} for uid in uids]}
        report = import_objects(client, payload, replace(options, strategy="DELETE"))
        gone = {ref for ref, codes in report.refused.items() if _GONE.issuperset(codes)}
        stored |= report.stored | gone
        refused |= {ref: codes for ref, codes in report.refused.items() if ref not in gone}
    return ImportReport(frozenset(stored), refused)
