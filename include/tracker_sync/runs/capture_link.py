"""The link: where in DHIS2's Capture app does a person look at what did not arrive?

The routes are those that the app's own tests open by their address alone, and the
path is that of all releases; from 2.42 on the server sends a browser on to
`/apps/capture` (source).
"""

from __future__ import annotations

from urllib.parse import urlencode


_CAPTURE = "dhis-web-capture/index.html#"


def link_to(address: str, kind: str, uid: str, tracked_entity: str | None) -> str:
    """Return the link to the person an object belongs to, or to an event without one.

    A refused enrollment or event may not be on the server it is looked at; its person is.

    Args:
        address: The server's base URL.
        kind: `TRACKED_ENTITY`, `ENROLLMENT` or `EVENT`.
        uid: The object.
        tracked_entity: The person it belongs to; nobody for an event without registration.
    """
    person = tracked_entity or (uid if kind == "TRACKED_ENTITY" else None)
    if person:
        page, query = "enrollment", {"teiId": person}
    else:
        page, query = "viewEvent", {"viewEventId": uid}
    return f"{address.rstrip('/')}/{_CAPTURE}/{page}?{urlencode(query)}"
