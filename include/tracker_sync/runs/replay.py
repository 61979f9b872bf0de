"""The replay: who is read and sent again, because somebody mended what refused them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from dhis2_api.errors import PermanentError
from dhis2_api.importer import Ref
from tracker_sync.planning.plan import Known
from tracker_sync.runs.plan import RunPlan
from tracker_sync.state.known import open_refusals, roots_of


_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,40}")


@dataclass(frozen=True, slots=True)
class Replay:
    """What somebody asked for; everything that is refused, if they named nothing.

    Attributes:
        codes: Only what is refused with one of these codes.
        uids: Only these objects, refused or not, with all that they belong to.
    """

    codes: frozenset[str] = frozenset()
    uids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        """Return what the parameters `codes` and `uids` of a run name.

        Raises:
            PermanentError: One of them holds something else.
        """
        return cls(_named("codes", params, _CODE), _named("uids", params, _UID))

    def roots(self, state: Path) -> dict[Ref, str]:
        """Return whom to read: people, and events without registration with their program.

        A UID that the state does not know is taken for a person's.
        """
        refused = open_refusals(state, self.codes)
        if not self.uids:
            return refused
        known = roots_of(state, self.uids)
        named = dict(known.get(uid, (Ref("TRACKED_ENTITY", uid), "")) for uid in sorted(self.uids))
        return {ref: named[ref] for ref in named if ref in refused or not self.codes}


def as_asked(known: Mapping[Ref, Known], plan: RunPlan) -> Mapping[Ref, Known]:
    """Return what earlier runs know; their refusals are forgotten where they are tried again."""
    if not plan.again:
        return known
    return {ref: replace(of, refused=None) for ref, of in known.items()}


def _named(name: str, params: Mapping[str, Any], form: re.Pattern[str]) -> frozenset[str]:
    given = params.get(name) or []
    if not isinstance(given, list):
        raise PermanentError(f"`{name}` is no list: write one on each line")
    for item in given:
        if not form.fullmatch(str(item)):
            raise PermanentError(f"`{name}` holds something that is none, e.g. {str(item)[:20]!r}")
    return frozenset(given)
