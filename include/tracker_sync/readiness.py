"""The readiness: would both servers let this route's data through?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from dhis2_api.client import Dhis2Client, Json
from dhis2_api.metadata_classes import read_many
from dhis2_api.system import Account, read_account
from tracker_sync.findings import Finding
from tracker_sync.mapping.there import model_there, route_there
from tracker_sync.metadata.authorities import deleting_findings, reopening_findings
from tracker_sync.metadata.completeness import cut_off
from tracker_sync.metadata.model import Model
from tracker_sync.metadata.reach import ScopeName, beyond_reach
from tracker_sync.metadata.source import asked_by_uid, by_class
from tracker_sync.metadata.writing_rights import (
    assignment_findings,
    expiry_findings,
    sharing_findings,
)
from tracker_sync.route import Route


#: Search alone is not enough: with a smaller capture scope, reads above a program's
#: `maxTeiCountToReturn` are refused with a 409 (tracker-api 3).
_SCOPES: tuple[ScopeName, ...] = ("capture", "search")


def readiness(
    source: Dhis2Client, destination: Dhis2Client, route: Route, model: Model
) -> list[Finding]:
    """Look whether both accounts reach the roots, and may now write what the model names.

    Written to is: programs, stages, types and relationship types that the account, one of
    its user groups or everybody may capture data in, assigned to org units of the route.

    Where the route says `grant_self` and the destination's account is a superuser
    that lacks a root, it gets the roots here. A session keeps the rights it started
    with (measured): speak to the servers over fresh clients afterwards.

    Raises:
        Unauthorized: A server does not accept its account, or not this change to it.
    """
    reader, writer = read_account(source), read_account(destination)
    findings = [
        *beyond_reach(source, reader, route, _SCOPES),
        *cut_off(source, route, model),
    ]
    there = route_there(route)
    lacking = beyond_reach(destination, writer, there, _SCOPES)
    missing = [finding for finding in lacking if finding.code == "root_missing"]
    if lacking and not missing and route.grant_self and writer.is_superuser:
        findings.append(_grant(destination, writer, there))
    else:
        findings += lacking
    return [
        *findings,
        *_may_write(destination, writer, route, model_there(model, route.mapping)),
    ]


def _grant(destination: Dhis2Client, account: Account, route: Route) -> Finding:
    # `add` replaces a list whole (recordings: 031-user-org-units), so what the account has goes
    # along. Its org units for analytics, which the recording sets too, are none of our business.
    changes = [
        _set("organisationUnits", account.capture | set(route.org_units)),
        _set("teiSearchOrganisationUnits", account.search | set(route.org_units)),
    ]
    destination.request("PATCH", f"/api/users/{account.uid}", payload=changes)
    return Finding(
        "granted_self",
        blocking=False,
        text=f"{destination.name}: the account gave itself the roots of the route, "
        f"{', '.join(route.org_units)}, as `grant_self` says",
        remedy="take `grant_self` out of the route if it should not",
    )


def _set(name: str, org_units: frozenset[str]) -> Json:
    value = [{"id": uid} for uid in sorted(org_units)]
    return {"op": "add", "path": f"/{name}", "value": value}


def _may_write(
    destination: Dhis2Client, writer: Account, route: Route, model: Model
) -> Iterator[Finding]:
    wanted = {
        "programs": model.program_attributes,
        "programStages": model.stage_elements,
        "relationshipTypes": model.relationship_types,
        "trackedEntityTypes": model.type_attributes,
    }
    held = by_class(read_many(destination, asked_by_uid(_each(wanted))))
    programs = held.get("programs", {}).values()
    mapped = [route.mapping.there("org_units", uid) for uid in _below(model, route.org_units)]
    yield from sharing_findings(destination.name, writer, held, wanted)
    yield from assignment_findings(
        destination.name, programs, mapped, whole=route.metadata == "ignore"
    )
    yield from expiry_findings(destination.name, writer, programs)
    if route.deletes == "send" and model.tracked_entity_types:
        yield from deleting_findings(destination.name, writer)
    stages = held.get("programStages", {}).values()
    yield from reopening_findings(destination.name, writer, stages)


def _each(wanted: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    return ((plural, uid) for plural, uids in wanted.items() for uid in uids)


def _below(model: Model, roots: Collection[str]) -> list[str]:
    return [
        uid
        for uid, unit in model.org_units.items()
        if not set(roots).isdisjoint(unit.path.split("/"))
    ]
