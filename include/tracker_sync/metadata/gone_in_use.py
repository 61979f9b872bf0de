"""The gone in use: does data of the destination use what a mirror would take away?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dhis2_api.selection import Filter
from tracker_sync.findings import Finding
from tracker_sync.metadata.beyond import Gone
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.danger import danger
from tracker_sync.metadata.data_there import DataThere, any_value
from tracker_sync.metadata.users_there import Place, place_of, with_options


@dataclass(frozen=True, slots=True)
class DataOf:
    """The data of what only the destination has.

    Attributes:
        theirs: What the destination has.
        data: Looks for its data.
    """

    theirs: Objects
    data: DataThere

    def uses(self, one: Gone, ours: Objects) -> bool:
        """Whether a record there needs it."""
        holder, uid = one.holder
        if one.plural == "programStages" and holder == "programs":
            return self.data.has(Place("programStages", one.uid, uid))
        if one.field in {"programTrackedEntityAttributes", "trackedEntityTypeAttributes"}:
            return self.data.has(Place(holder, uid), any_value(one.uid))
        if one.field == "programStageDataElements":
            stage = self.theirs["programStages"][uid]
            return self.data.has(place_of(holder, stage), any_value(one.uid))
        return one.field == "options" and holder == "optionSets" and self._chosen(one, ours)

    def _chosen(self, option: Gone, ours: Objects) -> bool:
        """Whether a value is the code of an option that no other of its set will have."""
        _, option_set = option.holder
        code = self.theirs.get("options", {}).get(option.uid, {}).get("code")
        if not code or code in _codes(option_set, ours):
            return False
        return any(
            self.data.has_values(plural, fields["id"], _is_chosen(fields["id"], code, fields))
            for plural, fields in with_options(self.data.client, option_set)
        )


def extras_with_data(
    gone: Sequence[Gone], ours: Objects, there: DataOf, *, writes: bool
) -> list[Finding]:
    """Return a finding if what a mirror takes away has data, which would lose its place.

    Args:
        gone: What only the destination has.
        ours: The source's closure.
        there: What the destination has, and its data.
        writes: Whether it would be taken away; else nothing blocks.
    """
    used = [f"{one.plural} {one}" for one in gone if there.uses(one, ours)]
    return danger("extras_with_data", used, blocking=writes)


def _codes(option_set: str, ours: Objects) -> set[str]:
    return {
        str(fields.get("code"))
        for fields in ours.get("options", {}).values()
        if (fields.get("optionSet") or {}).get("id") == option_set
    }


def _is_chosen(uid: str, code: str, fields: dict[str, object]) -> Filter:
    several = fields.get("valueType") == "MULTI_TEXT"  # its codes stand in one text
    return Filter(uid, "LIKE" if several else "EQ", (code,))
