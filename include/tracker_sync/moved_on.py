"""The moved on: which enrollments below somebody deleted live at the source with somebody else?

Merging two people gives the enrollments of one to the other, under the same UIDs, and deletes
whom they were taken from. At the destination they still hang below the deleted one, and would
be deleted along; nobody could bring them back then, because their UIDs are used up.
"""

from __future__ import annotations

from collections.abc import Iterator

from dhis2_api.client import Dhis2Client
from dhis2_api.importer import Ref
from dhis2_api.reading import read_by_uid
from tracker_sync.standing import Standing


_FIELDS = "enrollment,deleted"


def moved_on(
    source: Dhis2Client, programs: tuple[str, ...], here: Standing, there: Standing
) -> Iterator[Ref]:
    """Yield the enrollments that live at the source, though not below whom they are asked of.

    Args:
        source: The source.
        programs: The route's, in which alone 2.43 can be asked (measured).
        here: What the source has of some people.
        there: What the destination has of them.

    Raises:
        TransientError: The source did not answer.
    """
    absent = [
        ref.uid
        for ref, found in there.items()
        if ref.kind == "ENROLLMENT" and not found.deleted and ref not in here
    ]
    for program in programs if source.dialect.needs_program else ("",):
        for row in read_by_uid(source, "enrollments", absent, _FIELDS, program=program):
            if not row.get("deleted"):
                yield Ref("ENROLLMENT", row["enrollment"])
