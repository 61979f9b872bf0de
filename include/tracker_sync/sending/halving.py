"""The halving: which of many objects is at fault, where a server refuses all of them at once?

So one poisoned record never blocks its neighbours, in at most log2(n) + 1 rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError, RequestRefused, TransientError, Unauthorized
from dhis2_api.importer import import_objects


REQUEST_REFUSED = "SYNC_REQUEST_REFUSED"

#: What one object may be to blame for: a firewall before the server says 403 to what somebody
#: wrote, and an account that may do nothing is told so at an empty request, too.
OF_THE_WHOLE = (RequestRefused, Unauthorized)

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_halves(
    items: Sequence[Item],
    send: Callable[[Sequence[Item]], Result],
    alone: Callable[[Item, PermanentError], Result],
) -> list[Result]:
    """Send items, in halves where the whole is refused, and return what came of each request.

    Args:
        items: What is sent.
        send: Sends some of them in one request.
        alone: Says what becomes of one whose request, of it alone, was refused.
    """
    if not items:
        return []
    try:
        return [send(items)]
    except OF_THE_WHOLE as refusal:
        if len(items) == 1:
            return [alone(items[0], refusal)]
    halves = halved(items)
    return [result for half in halves for result in in_halves(half, send, alone)]


def halved(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """Return the two halves of what was refused as a whole."""
    middle = len(items) // 2
    return items[:middle], items[middle:]


def code_at_fault(client: Dhis2Client, refusal: PermanentError) -> str:
    """Return the code of one object whose request, of it alone, was refused as a whole.

    One at which the server broke down may have been written all the same: our code says so,
    and whoever sends reads it back. A server in good health takes an empty request.

    Raises:
        TransientError: The server is ill; nothing is known about the object.
        RequestRefused: It takes no imports at all, e.g. 404 behind a wrong address.
        Unauthorized: It takes none of this account.
    """
    try:
        import_objects(client, {})
    except RequestRefused as illness:
        if illness.status < 500:
            raise
        raise TransientError(f"{refusal}, and it refuses an empty request too") from None
    if isinstance(refusal, RequestRefused) and refusal.status < 500 and refusal.code:
        return refusal.code
    return REQUEST_REFUSED
