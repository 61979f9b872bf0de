"""The closure's findings: what of the metadata was left behind, or could not be had?"""

from __future__ import annotations

from tracker_sync.findings import Finding
from tracker_sync.metadata.references import Reference


def relationship_left_out(uid: str) -> Finding:
    """Say that a relationship type joins the route to what is outside it."""
    return Finding(
        "relationship_type_left_out",
        blocking=False,
        text=f"relationshipTypes {uid} joins this route to a program or type outside it",
        remedy="add the other program to the route if its relationships are to be copied",
    )


def group_unread(uid: str) -> Finding:
    """Say that a user group that sharing names can't be read."""
    return Finding(
        "user_group_unread",
        blocking=False,
        text=f"the sharing of this route's metadata names userGroups {uid}, which the source "
        "does not show",
        remedy="give the source account read access to it, or take it out of the sharing there",
    )


def unresolved(reference: Reference) -> Finding:
    """Say that what an object refers to can't be read."""
    plural, uid = reference.to
    return Finding(
        "expression_unresolved" if reference.loose else "reference_unresolved",
        blocking=not reference.loose,
        text=f"{reference.plural} {reference.uid} refers in {reference.field} to {plural} {uid}, "
        "which the source does not show",
        remedy="give the source account read access to it, or mend the reference at the source",
    )
