"""The moved units: which org units stand elsewhere, or are called otherwise, on the two servers?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tracker_sync.findings import Finding, some_of
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change, Difference


_UNITS = "organisationUnits"


def without_kept(found: Difference, org_units: str) -> Difference:
    """Return a difference without the org units that are only reported.

    Args:
        found: All of it.
        org_units: The route's `metadata_org_units`.
    """
    if org_units == "update":
        return found
    changes = tuple(one for one in found.changes if one.plural != _UNITS or one.is_new)
    return replace(found, changes=changes)


def unit_findings(changes: Sequence[Change], ours: Objects, org_units: str) -> list[Finding]:
    """Return what is to be known of org units before anything is sent.

    A unit below one that was moved has another path too; only the one that was is named.

    Args:
        changes: All changes.
        ours: The source's closure.
        org_units: The route's `metadata_org_units`.
    """
    circles = [_circle(uid) for uid in _in_circles(ours)]
    changed = [one for one in changes if one.plural == _UNITS and not one.is_new]
    if org_units == "update" or not changed:
        return circles
    moved = [one for one in changed if "parent" in one.fields]
    others = [one for one in changed if "parent" not in one.fields]
    said = [(moved, "org_units_moved", "stand elsewhere"), (others, "org_units_differ", "differ")]
    return [*circles, *(_kept(of_kind, code, how) for of_kind, code, how in said if of_kind)]


def _in_circles(ours: Objects) -> list[str]:
    units = ours.get(_UNITS, {})
    above = {uid: str((fields.get("parent") or {}).get("id", "")) for uid, fields in units.items()}
    well: set[str] = set()
    for unit in above:
        way = _way_up(unit, above, well)
        if above.get(way[-1]) in way:
            return sorted(way[way.index(above[way[-1]]) :])
        well.update(way)
    return []


def _way_up(unit: str, above: Mapping[str, str], well: Collection[str]) -> list[str]:
    """Return a unit and those above it, up to one that is known to be well or comes again."""
    way = [unit]
    while (parent := above[way[-1]]) in above and parent not in well and parent not in way:
        way.append(parent)
    return way


def _circle(uid: str) -> Finding:
    return Finding(
        "org_unit_cycle",
        blocking=True,
        text=f"org unit {uid} is its own ancestor at the source",
        remedy="give it its right parent there",
    )


def _kept(changes: Sequence[Change], code: str, how: str) -> Finding:
    return Finding(
        code,
        blocking=False,
        text=f"org units {how} at the destination and stay as they are there: {some_of(changes)}",
        remedy="write `metadata_org_units: update` to bring them over, or mend them by hand",
    )
