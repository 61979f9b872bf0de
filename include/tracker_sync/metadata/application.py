"""The application: how do the changes get into the destination, all or none?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError
from dhis2_api.metadata import Fields
from dhis2_api.metadata_report import ImportCounts, MetadataReport, Mode, import_metadata
from tracker_sync.lease import unguarded
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change
from tracker_sync.metadata.merging import merged


Payload = Mapping[str, Sequence[Fields]]

#: So many refused objects are named; a person mends them one after another anyway.
_NAMED = 20

_MODES: tuple[Mode, ...] = ("VALIDATE", "COMMIT")


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


def apply(destination: Writable, changes: Sequence[Change], ours: Objects, theirs: Objects) -> int:
    """Send changes, org units first, each request validated before it is committed.

    Args:
        destination: The server to write to.
        changes: What to send; without any, nothing is posted.
        ours: The closure the changes come from.
        theirs: What the destination had of it.

    Returns:
        The number of objects sent.

    Raises:
        PermanentError: The destination refuses an object; class, UID, code and property
            of each are named. What it validated as one request is in it whole or not at all.
    """
    units = [change for change in changes if change.plural == "organisationUnits"]
    others = [change for change in changes if change.plural != "organisationUnits"]
    return sum(_send(destination, part, ours, theirs) for part in (units, others) if part)


def payload_of(
    changes: Sequence[Change], ours: Objects, theirs: Objects
) -> dict[str, list[Fields]]:
    """Return what to send for changes: their objects by class.

    An option set goes with all its options, numbered in its order: a server
    numbers them anew with every import of the set (measured on 2.42).
    """
    payload: dict[str, dict[str, Fields]] = defaultdict(dict)
    for change in changes:
        payload[change.plural][change.uid] = change.payload
    for option_set in payload.get("optionSets", {}).values():
        for rank, option in enumerate(option_set.get("options", []), start=1):
            uid = option["id"]
            fields = payload["options"].get(uid) or _unchanged("options", uid, ours, theirs)
            if fields:
                payload["options"][uid] = fields | {"sortOrder": rank}
    return {plural: list(by_uid.values()) for plural, by_uid in payload.items() if by_uid}


def _unchanged(plural: str, uid: str, ours: Objects, theirs: Objects) -> Fields | None:
    fields, present = ours.get(plural, {}).get(uid), theirs.get(plural, {}).get(uid)
    return merged(plural, fields, present) if fields and present else None


def _send(destination: Writable, changes: Sequence[Change], ours: Objects, theirs: Objects) -> int:
    payload = payload_of(changes, ours, theirs)
    total = sum(len(objects) for objects in payload.values())
    new = sum(change.is_new for change in changes)
    expected = ImportCounts(created=new, updated=total - new, deleted=0, ignored=0, total=total)
    for mode in _MODES:
        destination.before_write()
        report = import_metadata(destination.client, payload, mode)
        _require(destination.client, mode, report, expected)
    return total


def _require(
    destination: Dhis2Client, mode: Mode, report: MetadataReport, expected: ImportCounts
) -> None:
    where = f"{destination.name}: {mode} of the metadata"
    if not report.accepted:
        raise PermanentError(f"{where} refused {_reasons(report)}")
    # The report should echo `importParams`, to prove that VALIDATE was understood and is no
    # commit; real servers don't send it (recordings: 011-metadata-org-units-validate). So the
    # mode is a literal of the two spellings that are right, the counts must be those of our
    # own difference, and what was written is read back and compared afterwards.
    if report.counts != expected:
        raise PermanentError(
            f"{where} counts {report.counts.created} new and {report.counts.updated} changed of "
            f"{report.counts.total} objects where {expected.created} and {expected.updated} of "
            f"{expected.total} were expected: the account does not see all objects that exist, "
            "or somebody changed them just now; give it read access to them and run again"
        )


def _reasons(report: MetadataReport) -> str:
    lines = [str(error) for error in report.errors]
    more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    named = "; ".join(lines[:_NAMED]) or "it, and names no object"
    return f"{named}{more}: mend it at either side, or give the account the right to write it"
