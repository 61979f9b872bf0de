"""Who is this server, and who am I to it?"""

from fastapi import APIRouter, Response

from dhis2_sandbox.exports.fields import parse_fields
from dhis2_sandbox.http.answers import json_answer
from dhis2_sandbox.http.visits import Asking, demand
from dhis2_sandbox.metadata.store import Members
from dhis2_sandbox.metadata.viewing import Viewer


router = APIRouter(prefix="/api")
_ME = "*"


@router.get("/system/ping")
def ping(asking: Asking) -> Response:
    """Answer that the server is there."""
    del asking
    return Response("pong", media_type="application/json;charset=UTF-8")


@router.get("/system/info")
def info(asking: Asking) -> Response:
    """Answer version, clock and zone (recordings: 001-system-info)."""
    clock = asking.sandbox.clock
    members = {
        "contextPath": asking.base_url,
        "calendar": "iso8601",
        "dateFormat": "yyyy-mm-dd",
        "serverDate": clock.stamp(),
        "serverTimeZoneId": clock.zone_name,
        "serverTimeZoneDisplayName": clock.zone_name,
        "version": asking.sandbox.dialect.version,
        "fileStoreProvider": "filesystem",
        "readOnlyMode": "off",
        "readReplicaCount": 0,
        "instanceBaseUrl": asking.base_url,
        "isMetadataVersionEnabled": False,
    }
    if asking.rights.superuser:
        members["systemId"] = asking.sandbox.system_id
    return json_answer(parse_fields(asking.query.get("fields") or "*").apply(members))


@router.get("/me")
def me(asking: Asking) -> Response:
    """Answer the account's own user, with the rights that the session has."""
    rights = asking.rights
    user = asking.sandbox.metadata.get("users", rights.uid)
    demand(user, "User", rights.uid)
    member: Members = {"authorities": sorted(rights.authorities)}
    member["userGroups"] = [{"id": uid} for uid in sorted(rights.groups)]
    selection = parse_fields(asking.query.get("fields") or _ME)
    return json_answer(Viewer(asking.sandbox.metadata).show({**(user or {}), **member}, selection))
