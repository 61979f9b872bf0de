"""The readiness: would both servers let this route's data through?"""

from __future__ import annotations

from dhis2_api.client import Dhis2Client, Json
from dhis2_api.metadata import Fields, read_objects
from dhis2_api.system import Account, read_account
from tracker_sync.findings import Finding
from tracker_sync.mapping.there import model_there, route_there
from tracker_sync.metadata.model import Model
from tracker_sync.metadata.reach import ScopeName, beyond_reach
from tracker_sync.route import Route


#: Search alone is not enough: with a smaller capture scope, reads above a program's
#: `maxTeiCountToReturn` are refused with a 409 (tracker-api 3).
_SCOPES: tuple[ScopeName, ...] = ("capture", "search")


def readiness(
    source: Dhis2Client, destination: Dhis2Client, route: Route, model: Model
) -> list[Finding]:
    """Look whether both accounts reach the roots, and may write what the model names.

    Where the route says `grant_self` and the destination's account is a superuser
    that lacks a root, it gets the roots here. A session keeps the rights it started
    with (measured): speak to the servers over fresh clients afterwards.

    Raises:
        Unauthorized: A server does not accept its account, or not this change to it.
    """
    reader, writer = read_account(source), read_account(destination)
    findings = beyond_reach(source, reader, route, _SCOPES)
    there = route_there(route)
    lacking = beyond_reach(destination, writer, there, _SCOPES)
    missing = [finding for finding in lacking if finding.code == "root_missing"]
    if lacking and not missing and route.grant_self and writer.is_superuser:
        findings.append(_grant(destination, writer, there))
    else:
        findings += lacking
    if writer.is_superuser:
        return findings
    return [*findings, *_sharing(destination, model_there(model, route.mapping))]


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


def _sharing(destination: Dhis2Client, model: Model) -> list[Finding]:
    named = {
        "programs": model.program_attributes,
        "programStages": model.stage_elements,
        "trackedEntityTypes": model.type_attributes,
    }
    return [
        _closed(destination.name, plural, fields)
        for plural, uids in named.items()
        for fields in read_objects(destination, plural, uids)
        if not _lets_everybody_write(fields)
    ]


def _lets_everybody_write(fields: Fields) -> bool:
    # `rwrw----`: metadata read and write, then data read and write (metadata 2.4).
    public = (fields.get("sharing") or {}).get("public") or ""
    return bool(public[2:4] == "rw")


def _closed(name: str, plural: str, fields: Fields) -> Finding:
    return Finding(
        "data_write_not_public",
        # A group the account belongs to may give it the right; only a write will tell.
        blocking=False,
        text=f"{name}: {plural} {fields['id']} is not open to everybody for writing data",
        remedy="make sure that a user group of the account may capture data in it",
    )
