"""How does a fault reach the import that it slows down?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


#: Where the delays of a request lie in its ASGI scope.
KEY = "dhis2_sandbox.delays"


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds that an import is late.

    Attributes:
        behind: its stamps are that much older than the moment its rows can be seen.
        before_writing: it waits between checking and writing, so that others write meanwhile.
    """

    behind: float = 0
    before_writing: float = 0


NO_DELAYS = Delays()


def delays_of(scope: Mapping[str, Any]) -> Delays:
    """Return the delays of a request."""
    found: Delays = scope.get(KEY, NO_DELAYS)
    return found
