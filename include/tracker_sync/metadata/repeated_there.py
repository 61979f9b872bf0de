"""The repetitions there: what does the destination hold twice where only one will be let in?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dhis2_api.errors import RequestRefused, Unauthorized
from dhis2_api.json_pages import Row
from tracker_sync.metadata.danger import NAMED
from tracker_sync.metadata.data_there import DataThere
from tracker_sync.metadata.users_there import Place


_PERSON = (
    "trackedEntity,orgUnit,attributes[attribute,value],enrollments[attributes[attribute,value]]"
)

#: Instead of names, where the account may not look: what it does not see counts as data.
UNSEEN = "not shown to the account"


def holders_of_one_value(data: DataThere, attribute: str, *, within_unit: bool) -> list[str]:
    """Return people who have one value of an attribute, two by two.

    All of them are read, where an attribute is to become unique. No value is kept, only its
    hash.

    Args:
        data: Reads them.
        attribute: Its UID.
        within_unit: Whether it is to be unique among those of an org unit only.
    """
    return _seen(_repeated_values(data, attribute, within_unit=within_unit))


def enrollments_with_several(data: DataThere, stage: Place) -> list[str]:
    """Return enrollments with several events of a stage, but for those that were skipped."""
    return _seen(_repeated_events(data, stage))


def _seen(found: Iterator[str]) -> list[str]:
    try:
        return [*dict.fromkeys(islice(found, NAMED))]
    except (RequestRefused, Unauthorized):
        return [UNSEEN]


def _repeated_values(data: DataThere, attribute: str, *, within_unit: bool) -> Iterator[str]:
    holders: dict[int, str] = {}
    for place in data.places("trackedEntityAttributes", attribute):
        for person in data.rows(place, _PERSON):
            uid, unit = person["trackedEntity"], person.get("orgUnit") if within_unit else ""
            for value in _values(person, attribute):
                other = holders.setdefault(hash((unit, value)), uid)
                if other != uid:
                    yield " and ".join(sorted((other, uid)))


def _values(person: Row, attribute: str) -> set[str]:
    carriers = [person, *(person.get("enrollments") or [])]
    rows = [row for carrier in carriers for row in carrier.get("attributes") or []]
    return {str(row["value"]) for row in rows if row.get("attribute") == attribute}


def _repeated_events(data: DataThere, stage: Place) -> Iterator[str]:
    first: dict[str, str] = {}
    for event in data.rows(stage, "event,enrollment,status"):
        uid, enrollment = event["event"], str(event.get("enrollment") or "")
        counts = enrollment and event.get("status") != "SKIPPED"  # as DHIS2 has it: E1039
        if counts and first.setdefault(enrollment, uid) != uid:
            yield enrollment
