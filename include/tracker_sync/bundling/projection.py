"""The projection: what of an object counts when it is compared and sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from tracker_sync.metadata.model import Model


@dataclass(frozen=True, slots=True)
class Projection:
    """What of an object counts, the same for both servers.

    Attributes:
        own_attributes: Tracked entity type -> the attributes that are a person's own, whatever
            else a server lists with them: before 2.42 a superuser gets those of all programs
            there too (tracker-api 1.3). Of a type that isn't named, all are.
        files: The attributes whose values name a file, which are the person's own always.
        no_assignee: The program stages whose events are assigned to nobody, whomever a server
            still names: DHIS2 ignores a user there (E1120).
        enrolled_options: Whether enrollments have category options at the destination.
        default_options: The default option combination, which says no more than none does.
    """

    own_attributes: Mapping[str, frozenset[str]]
    files: frozenset[str] = frozenset()
    no_assignee: frozenset[str] = frozenset()
    enrolled_options: bool = True
    default_options: frozenset[str] = frozenset()

    @classmethod
    def of(cls, model: Model) -> Self:
        """Return the projection of what the programs consist of."""
        files = frozenset(model.files)
        own = model.type_attributes.items()
        held = {uid: attributes | model.confidential | files for uid, attributes in own}
        default = frozenset(model.option_combos.values())
        return cls(held, files, model.no_assignee, model.enrolled_options, default)


#: A stamp of completion is accepted with these statuses only (measured: E1051, E1052).
COMPLETED = {"ENROLLMENT": ("COMPLETED", "CANCELLED"), "EVENT": ("COMPLETED",)}
