"""The contradictions: which changes of the model does data of the destination stand against?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dhis2_api.metadata import Fields
from tracker_sync.findings import Finding
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.danger import danger
from tracker_sync.metadata.data_there import DataThere
from tracker_sync.metadata.difference import Change
from tracker_sync.metadata.repeated_there import enrollments_with_several, holders_of_one_value
from tracker_sync.metadata.users_there import Place


#: Told a change, the object there and where to look: the records that stand against it, or the
#: field that does.
_Look = Callable[[Change, Fields, DataThere], Sequence[str]]


def contradicted(
    changes: Sequence[Change], theirs: Objects, data: DataThere, *, writes: bool
) -> list[Finding]:
    """Return a finding for each kind of change that data of the destination stands against.

    It blocks where records were found that the model would no longer let in, and is a warning
    where only some may be refused, each by name.

    Args:
        changes: What differs in objects that are there.
        theirs: What the destination has.
        data: Looks for its data.
        writes: Whether the changes would be written; else nothing blocks.
    """
    findings: list[Finding] = []
    for code, (plurals, look) in _LOOKS.items():
        named = [
            f"{change.plural} {change.uid} ({', '.join(against)})"
            for change in changes
            if change.plural in plurals
            and (against := look(change, theirs[change.plural][change.uid], data))
        ]
        findings += danger(code, named, blocking=writes and code in _STOPPING)
    return findings


def _more_unique(change: Change, there: Fields, data: DataThere) -> Sequence[str]:
    ours = change.payload
    wider = bool(there.get("orgunitScope")) and not ours.get("orgunitScope")
    if not ours.get("unique") or (there.get("unique") and not wider):
        return ()
    return holders_of_one_value(data, change.uid, within_unit=bool(ours.get("orgunitScope")))


def _once_only(change: Change, there: Fields, data: DataThere) -> Sequence[str]:
    if change.payload.get("repeatable") or not there.get("repeatable"):
        return ()
    program = str((there.get("program") or {}).get("id", ""))
    return enrollments_with_several(data, Place("programStages", change.uid, program))


def _other_pattern(change: Change, _: Fields, data: DataThere) -> Sequence[str]:
    differs = not {"generated", "pattern"}.isdisjoint(change.fields)
    generated = differs and change.payload.get("generated")
    return ["pattern"] if generated and data.has_values(change.plural, change.uid) else ()


def _other_options(change: Change, _: Fields, data: DataThere) -> Sequence[str]:
    gains = "optionSet" in change.fields and change.payload.get("optionSet")
    return ["optionSet"] if gains and data.has_values(change.plural, change.uid) else ()


_ATTRIBUTES = frozenset({"trackedEntityAttributes"})
_LOOKS: Mapping[str, tuple[frozenset[str], _Look]] = {
    "option_set_put_on_values": (_ATTRIBUTES | {"dataElements"}, _other_options),
    "pattern_changed": (_ATTRIBUTES, _other_pattern),
    "stage_repeats_there": (frozenset({"programStages"}), _once_only),
    "unique_over_duplicates": (_ATTRIBUTES, _more_unique),
}

_STOPPING = frozenset({"stage_repeats_there", "unique_over_duplicates"})
