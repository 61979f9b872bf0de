"""The closure's findings: what of the metadata was left behind, or could not be had?"""

from __future__ import annotations

from tracker_sync.findings import Finding
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.expressions import called
from tracker_sync.metadata.references import Reference, roles_named


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


def roles_unknown(objects: Objects, theirs: Objects) -> list[Finding]:
    """Name the user roles that expressions ask for and the destination does not show.

    A role is never brought over: what its people may do is for the destination to say.
    """
    held = theirs.get("userRoles", {})
    first = {
        role: (plural, uid, field)
        for plural, uid, field, role in roles_named(objects)
        if not called(held, role)
    }
    return [
        Finding(
            "user_role_unknown_there",
            blocking=False,
            text=f"{plural} {uid} asks in {field} for the user role {role}, which the "
            "destination does not show: to it nobody there has that role",
            remedy="make a role of this UID or code there and give it to those who are meant, or "
            "change the expression at the source",
        )
        for role, (plural, uid, field) in sorted(first.items())
    ]


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
