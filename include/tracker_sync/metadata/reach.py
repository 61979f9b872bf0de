"""The reach: do the org units of an account cover the roots of a route?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import read_objects
from dhis2_api.system import Account
from tracker_sync.findings import Finding
from tracker_sync.metadata.org_units import ancestry
from tracker_sync.route import Route


#: Scopes an account has: where it may write and read in full, and where it may search.
ScopeName = Literal["capture", "search"]

_LABELS = {"capture": "data capture and maintenance", "search": "search"}


def beyond_reach(
    client: Dhis2Client, account: Account, route: Route, scopes: Sequence[ScopeName]
) -> list[Finding]:
    """Return a blocking finding for each root that is missing or that a scope does not cover.

    An org unit covers all below it.
    """
    units = read_objects(client, "organisationUnits", route.org_units)
    above = {unit["id"]: ancestry(unit) for unit in units}
    missing = [_missing(client.name, root) for root in route.org_units if root not in above]
    outside = [
        _outside(client.name, root, scope)
        for scope in scopes
        for root in sorted(above)
        if not set(above[root]) & _held(account, scope)
    ]
    return [*missing, *outside]


def _held(account: Account, scope: ScopeName) -> frozenset[str]:
    return account.capture if scope == "capture" else account.search


def _missing(name: str, root: str) -> Finding:
    return Finding(
        "root_missing",
        blocking=True,
        text=f"{name}: org unit {root}, a root of the route, does not exist or is not shown",
        remedy="correct `org_units` in the route, or bring the org unit over",
    )


def _outside(name: str, root: str, scope: ScopeName) -> Finding:
    return Finding(
        f"{scope}_scope_missing",
        blocking=True,
        text=f"{name}: org unit {root}, a root of the route, is outside the {scope} scope",
        remedy=f"give the account that org unit under {_LABELS[scope]}, in the Users app",
    )
