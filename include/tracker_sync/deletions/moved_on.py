"""The moved on: what hangs at somebody deleted, and lives at the source with somebody else?

Merging two people gives the enrollments and relationships of one to the other, under the same
UIDs, and deletes whom they were taken from. At the destination they still hang at the deleted
one, and would be deleted along; nobody could bring them back then: their UIDs are used up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import Unauthorized
from dhis2_api.importer import Ref
from dhis2_api.reading import read_by_uid
from tracker_sync.deletions.standing import Standing
from tracker_sync.relationships.hanging import Link
from tracker_sync.relationships.reading import read_one


_FIELDS = "enrollment,deleted"


def enrollments_moved_on(
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


def relationships_moved_on(source: Dhis2Client, links: Iterable[Link]) -> Iterator[Ref]:
    """Yield the relationships that live at the source between others than at the destination.

    Args:
        source: The source.
        links: What the destination has of some people.

    Raises:
        TransientError: The source did not answer.
    """
    for link in links:
        if link.read_number is not None and _joins_others(source, link):
            yield link.ref


def _joins_others(source: Dhis2Client, link: Link) -> bool:
    try:
        here = read_one(source, link.ref.uid)
    except Unauthorized:
        return False
    if here is None or len(here.ends) < len(link.ends):  # an end that is not shown says nothing
        return False
    return {*here.ends} != {*link.ends}
