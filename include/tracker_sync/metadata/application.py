"""The application: how do the changes get into the destination, all or none?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused
from dhis2_api.metadata_report import (
    ImportCounts,
    ImportTerms,
    MetadataError,
    MetadataReport,
    Mode,
    import_metadata,
)
from tracker_sync.findings import Finding
from tracker_sync.leases.lease import unguarded
from tracker_sync.metadata.refusals import refusals
from tracker_sync.metadata.steps import Payload, Step, to_validate


#: Class and UID.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Writable:
    """The server that is written to.

    Attributes:
        client: Speaks to it.
        before_write: Called before each write request; raises if this run may not write any
            more.
    """

    client: Dhis2Client
    before_write: Callable[[], None] = unguarded


class NotAppliedError(Exception):
    """The destination did not take what was sent.

    Attributes:
        findings: Why, and what to do.
        errors: What it says of single objects.
    """

    def __init__(self, findings: Sequence[Finding], errors: Sequence[MetadataError] = ()) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = tuple(findings)
        self.errors = tuple(errors)


def apply(destination: Writable, steps: Sequence[Step], there: Collection[Name]) -> int:
    """Look at all steps together, and commit them one by one if none of it is refused.

    Args:
        destination: The server to write to.
        steps: What to send; without any, nothing is posted.
        there: What the destination had.

    Returns:
        The number of objects sent.

    Raises:
        NotAppliedError: The destination refuses an object, or counts other objects than we
            do. Before the first commit nothing was written; a step is written whole or not.
    """
    for step in to_validate(steps):
        post(destination, step.payload, ImportTerms("VALIDATE", step.keep_sharing), there)
    written: set[Name] = set()
    for step in steps:
        terms = ImportTerms("COMMIT", step.keep_sharing)
        post(destination, step.payload, terms, written.union(there))
        written |= step.names
    return len(written)


def look(
    destination: Writable,
    steps: Sequence[Step],
    there: Collection[Name],
    tolerated: Callable[[MetadataError], bool],
) -> None:
    """Have all steps validated, and return if nothing but what is tolerated is said of them.

    Raises:
        NotAppliedError: Something else is.
    """
    for step in to_validate(steps):
        try:
            post(destination, step.payload, ImportTerms("VALIDATE", step.keep_sharing), there)
        except NotAppliedError as refused:
            if not refused.errors:
                raise
            left = [error for error in refused.errors if not tolerated(error)]
            if left:
                found = refusals(destination.client.name, "VALIDATE", left)
                raise NotAppliedError(found, left) from None


def post(
    destination: Writable, payload: Payload, terms: ImportTerms, there: Collection[Name]
) -> None:
    """Send one request, and return if it did what it should.

    Raises:
        NotAppliedError: It did not.
    """
    destination.before_write()
    client = destination.client
    try:
        report = import_metadata(client, payload, terms)
    except RequestRefused as refused:
        raise NotAppliedError([_refused_whole(str(refused))]) from None
    if not report.accepted:
        raise NotAppliedError(refusals(client.name, terms.mode, report.errors), report.errors)
    # Real servers don't echo `importParams`, which would prove that VALIDATE was understood and
    # is no commit (recordings: 011-metadata-org-units-validate). So the mode is a literal of the
    # two spellings that are right, an echo is compared where there is one, the counts must be
    # those of our own difference, and what was written is read back and compared afterwards.
    if report.counts != (expected := _expected(payload, terms, there)):
        raise NotAppliedError([_miscounted(client.name, terms.mode, report, expected)])


def rewrite(destination: Writable, payload: Payload) -> None:
    """Send objects that are there, first to be looked at; they keep their sharing.

    Raises:
        NotAppliedError: The destination refuses one.
    """
    held = {(plural, fields["id"]) for plural, rows in payload.items() for fields in rows}
    modes: tuple[Mode, ...] = ("VALIDATE", "COMMIT") if held else ()
    for mode in modes:
        post(destination, payload, ImportTerms(mode, keep_sharing=True), held)


def _expected(payload: Payload, terms: ImportTerms, there: Collection[Name]) -> ImportCounts:
    names = [(plural, fields["id"]) for plural, objects in payload.items() for fields in objects]
    total, held = len(names), sum(name in there for name in names)
    if terms.strategy == "DELETE":
        return ImportCounts(created=0, updated=0, deleted=total, ignored=0, total=total)
    return ImportCounts(created=total - held, updated=held, deleted=0, ignored=0, total=total)


def _refused_whole(text: str) -> Finding:
    return Finding(
        "metadata_refused_whole",
        blocking=True,
        text=text,
        remedy="compare the versions of both servers: a value that one does not know refuses all",
    )


def _miscounted(server: str, mode: Mode, report: MetadataReport, expected: ImportCounts) -> Finding:
    seen = report.counts
    return Finding(
        "metadata_miscounted",
        blocking=True,
        text=f"{server}: {mode} of the metadata counts {seen.created} new and {seen.updated} "
        f"changed of {seen.total} objects where {expected.created} and {expected.updated} of "
        f"{expected.total} were expected: the account does not see all objects that exist, or "
        "somebody made or deleted one just now",
        remedy="run again; if it says the same, give the account read access to them",
    )
