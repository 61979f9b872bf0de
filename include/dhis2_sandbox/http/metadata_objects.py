"""Which metadata object does a path name, and may this account have it?"""

from dhis2_sandbox.http.answers import Refused, RefusedByTomcat
from dhis2_sandbox.http.visits import Visit, demand
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.store import Members


def known_class(plural: str, asking: Visit) -> None:
    """Refuse a path that is no class.

    Raises:
        Refused: 404, as a page.
    """
    if plural not in CLASSES:
        raise RefusedByTomcat(404, f"No static resource {asking.request.url.path.strip('/')}.")


def known_object(plural: str, uid: str, asking: Visit, wish: int) -> Members:
    """Return the object.

    Raises:
        Refused: 404 if it is not there, 403 if the account may not have it.
    """
    known_class(plural, asking)
    item = asking.sandbox.metadata.get(plural, uid)
    demand(item, CLASSES[plural].name, uid)
    found: Members = item or {}
    if CLASSES[plural].shared and not asking.rights.may(wish, found):
        raise Refused(403, f"You don't have the proper permissions to access: {uid}", "E1006")
    return found
