"""The demands: which values does a destination demand that the source's records may lack?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dhis2_api.metadata import Fields
from tracker_sync.findings import Finding
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.danger import danger
from tracker_sync.metadata.data_there import DataThere
from tracker_sync.metadata.difference import Change
from tracker_sync.metadata.users_there import place_of, rows_of


#: What of a class's rows demands a value of each record (E1018, E1090, E1303).
_DEMANDING = {
    "programStages": "compulsory",
    "programs": "mandatory",
    "trackedEntityTypes": "mandatory",
}


def never_given(
    ours: Objects, theirs: Objects, known: Mapping[str, str], *, mirror: bool
) -> list[Finding]:
    """Return a blocking finding if the destination demands what no record of ours has.

    Args:
        ours: All that the data needs, as the source has it.
        theirs: What the destination has of it.
        known: What the destination calls what is mapped, by the source's UID.
        mirror: Whether what only the destination has is taken away now; of what is mapped
            nothing is.
    """
    named = [
        f"{plural} {there['id']} ({uid})"
        for plural in _DEMANDING
        for mine in ours.get(plural, {}).values()
        if (there := theirs.get(plural, {}).get(known.get(mine["id"], mine["id"])))
        and not (mirror and mine["id"] not in known)
        for uid in sorted(_demanded(plural, there) - _given(plural, mine, ours, known))
    ]
    return danger("mandatory_only_there", named, blocking=True)


def newly_demanded(changes: Sequence[Change], theirs: Objects, data: DataThere) -> list[Finding]:
    """Return a warning if a change demands a value, and there are records that had no need of it.

    Which of them lack it is seen only by reading them all, and most may have it. So the others
    are let through, and who lacks it is refused by name.
    """
    named = [
        f"{change.plural} {change.uid} ({', '.join(sorted(added))})"
        for change in changes
        if change.plural in _DEMANDING
        and (added := _added(change, theirs[change.plural][change.uid]))
        and data.has(place_of(change.plural, theirs[change.plural][change.uid]))
    ]
    return danger("mandatory_added", named, blocking=False)


def _added(change: Change, there: Fields) -> Collection[str]:
    return _demanded(change.plural, change.payload) - _demanded(change.plural, there)


def _given(plural: str, mine: Fields, ours: Objects, known: Mapping[str, str]) -> set[str]:
    """Return what records have values of: a person's are its enrollments' too."""
    given = {known.get(uid, uid) for uid, _ in rows_of(plural, mine)}
    kind = (mine.get("trackedEntityType") or {}).get("id", "") if plural == "programs" else ""
    above = ours.get("trackedEntityTypes", {}).get(kind)
    return given | _given("trackedEntityTypes", above, ours, known) if above else given


def _demanded(plural: str, fields: Fields) -> set[str]:
    flag = _DEMANDING[plural]
    return {uid for uid, row in rows_of(plural, fields) if row.get(flag)}
