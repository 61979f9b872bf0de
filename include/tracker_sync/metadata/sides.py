"""The sides: what must be known of both servers to compare what they hold?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tracker_sync.metadata.defaults import USUAL
from tracker_sync.metadata.versions import unknown_to


def _always(_: str, __: str) -> bool:
    """Take it that there is data: a value type is changed under none, or not at all."""
    return True


@dataclass(frozen=True, slots=True)
class Sides:
    """What a comparison takes for granted of the two servers.

    Attributes:
        source: The source's minor version, e.g. `2.40`.
        destination: The destination's.
        defaults: The UIDs of the destination's default category objects.
        mirror: Whether what only the destination has is taken away, as
            `metadata_extras: mirror` says.
        reached: The org units of the route, as the destination calls them; assignments to
            others are none of its business.
        mapped: What the route's mapping names there: it is no surplus.
        holds_data: Told class and UID, says whether the destination has values of it; asked
            only where a value type differs.
    """

    source: str = "2.43"
    destination: str = "2.43"
    defaults: frozenset[str] = USUAL
    mirror: bool = False
    reached: frozenset[str] = frozenset()
    mapped: frozenset[str] = frozenset()
    holds_data: Callable[[str, str], bool] = _always

    @property
    def unknown_there(self) -> Mapping[str, frozenset[str]]:
        """What the destination's version does not know."""
        return unknown_to(self.destination)

    @property
    def unknown_here(self) -> Mapping[str, frozenset[str]]:
        """What the source's version does not know."""
        return unknown_to(self.source)
