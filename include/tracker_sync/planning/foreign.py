"""The foreign: which enrollments have a UID that somebody else's has at the destination?

DHIS2 refuses such an enrollment (E1127), and stores the events below it all the same, in the
enrollment that it knows by this UID. So nobody sends them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused
from dhis2_api.importer import Ref
from dhis2_api.reading import read_by_uid
from tracker_sync.outcome import Outcome
from tracker_sync.planning.plan import PARENT_REFUSED, Known, Planned


FOREIGN = "E1127"
_NO_PROGRAM = "E1003"  # 400, where a program must be named and is not there
_FIELDS = "enrollment,trackedEntity,program,deleted"


def refuse_foreign(
    client: Dhis2Client, planned: Sequence[Planned], known: Mapping[Ref, Known]
) -> list[Planned]:
    """Return a plan in which no enrollment takes the place of another person's.

    An enrollment that the account may not see there is refused by the server itself.

    Args:
        client: The destination.
        planned: Parents first.
        known: What earlier runs know.

    Raises:
        TransientError: The destination did not answer.
    """
    refused = dict.fromkeys(_foreign(client, planned), FOREIGN)
    if not refused:
        return [*planned]
    below = [item.entry.ref for item in planned if item.text and item.parent in refused]
    refused |= dict.fromkeys(below, PARENT_REFUSED)
    return [_refused(item, refused, known) for item in planned]


def any_there(client: Dhis2Client, enrollments: Mapping[str, str]) -> bool:
    """Whether one of these is there, whosever it is; see `refuse_foreign`.

    Args:
        client: The destination.
        enrollments: UID -> what is to be sent of it.
    """
    uids: defaultdict[str, list[str]] = defaultdict(list)
    for uid, text in enrollments.items():
        uids[_program(client, text)].append(uid)
    return any(_there(client, program, some) for program, some in uids.items())


def _there(client: Dhis2Client, program: str, uids: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is there of these; nothing of a program that the destination does not have.

    It refuses such an enrollment itself (E1069), and its neighbours are nobody's fault.
    """
    try:
        return [*read_by_uid(client, "enrollments", uids, _FIELDS, program=program)]
    except RequestRefused as refusal:
        if program and refusal.code == _NO_PROGRAM:
            return []
        raise


def _program(client: Dhis2Client, text: str) -> str:
    """Return the program that the server must know, if it must."""
    return str(json.loads(text)["program"]) if client.dialect.needs_program else ""


def _refused(item: Planned, refused: Mapping[Ref, str], known: Mapping[Ref, Known]) -> Planned:
    code, met = refused.get(item.entry.ref), known.get(item.entry.ref)
    if code is None:
        return item
    again = bool(met and met.refused and code in {met.refused, PARENT_REFUSED})
    line = item.entry.but(outcome=Outcome.REFUSED, code=code, action=None, sent=False, known=again)
    return item._replace(entry=line, text=None)


def _foreign(client: Dhis2Client, planned: Sequence[Planned]) -> Iterator[Ref]:
    """Yield the enrollments that would be created, and that live there as another's."""
    for program, ours in _new(client, planned).items():
        for row in _there(client, program, [*ours]):
            own = ours[row["enrollment"]].payload or {}
            same = all(row[name] == own[name] for name in ("trackedEntity", "program"))
            if not same and not row.get("deleted"):
                yield Ref("ENROLLMENT", row["enrollment"])


def _new(client: Dhis2Client, planned: Sequence[Planned]) -> dict[str, dict[str, Planned]]:
    """Return what would be created, by the program that the server must know, and by UID."""
    found: defaultdict[str, dict[str, Planned]] = defaultdict(dict)
    for item in planned:
        if item.entry.ref.kind == "ENROLLMENT" and item.text and item.held is None:
            found[_program(client, item.text)][item.entry.ref.uid] = item
    return found
