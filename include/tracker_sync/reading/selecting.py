"""Selecting: who of those that changed enters, and who goes on being followed.

A selection decides who enters. It is asked for without a lower bound, so that it does not
matter what made somebody match: a light list costs 70 ms a thousand people (measured:
Listings that fail). Whoever was sent once is followed, selected or not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.errors import PermanentError
from dhis2_api.export import listing_requests
from dhis2_api.heard import check_heard
from dhis2_api.selection import Filter, Selection
from tracker_sync.reading.listing import read_lists
from tracker_sync.reading.lists import RunLists
from tracker_sync.route import ProgramSelection
from tracker_sync.state.known import followed_among


# What is said of an enrollment, or of a person's attributes, where there is neither.
_OF_PEOPLE = ("enrollment_status", "follow_up", "attributes")
_LOGGED = "the values that its selection compares attributes with reach the source's web logs"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Selecting:
    """Who enters, of the people of one part of the lists after another.

    Attributes:
        lists: The route's lists.
        state: The folder of what earlier runs know.
        away: How many people, or events without registration, were selected away so far.
    """

    lists: RunLists
    state: Path
    away: int = 0
    _held: dict[str, pa.Array] = field(default_factory=dict)  # by program, once asked for

    def entering(self, changed: pa.Table) -> pa.Table:
        """Return the rows of those who enter or are followed, in whatever list they stand.

        Who enters by one program enters by all.

        Args:
            changed: All that lists named of some people, as `listed_rows.LISTED`.
        """
        if not self.lists.route.selections and not self.lists.scopes.types:
            return changed
        known = _followed(changed, self.state)
        entering = [self._by(scope, changed, known) for scope in self.lists.scopes.all()]
        stays = pc.is_in(subjects(changed), value_set=pa.concat_arrays([known, *entering]))
        self.away += _away(changed.filter(pc.invert(stays)), self.lists.scopes.types)
        return changed.filter(stays)

    def _by(self, scope: str, changed: pa.Table, known: pa.Array) -> pa.Array:
        """Return those who enter by *scope*: everybody, or whom its selection holds."""
        here = changed.filter(pc.equal(changed["scope"], scope))
        if scope in self.lists.scopes.types:
            here = here.filter(pc.invert(pc.or_(here["deleted"], here["enrolled"])))
        if scope not in self.lists.route.selections:
            return subjects(here).combine_chunks()
        if pc.all(pc.is_in(subjects(here), value_set=known), min_count=0).as_py():
            return known[:0]  # nobody new, so nothing to ask
        if scope not in self._held:
            self._held[scope] = _held_by(self.lists, scope)
        return self._held[scope]


def _held_by(lists: RunLists, scope: str) -> pa.Array:
    listing = lists.selected(scope, selection_of(lists.route.selections[scope]))
    check_heard(lists.source.client, listing, lists.source.zone)
    found = [pa.array([], pa.string())]
    read_lists(lists.source, [listing], lambda rows: found.extend(subjects(rows).chunks))
    return pa.concat_arrays(found).unique()


def _away(gone: pa.Table, types: Sequence[str]) -> int:
    # Of a type come people whom no program of the route ever held: dead, or enrolled elsewhere.
    of_types = pc.is_in(gone["scope"], value_set=pa.array(types, pa.string()))
    away: int = pc.count_distinct(subjects(gone.filter(pc.invert(of_types)))).as_py()
    return away


def subjects(listed: pa.Table) -> pa.ChunkedArray:
    """Return whom each row is about: a person, or an event that is nobody's."""
    return pc.coalesce(listed["tracked_entity"], listed["uid"])


def _followed(changed: pa.Table, state: Path) -> pa.Array:
    nobodys = pc.is_null(changed["tracked_entity"])
    found: list[str] = []
    for kind, of_kind in (("TRACKED_ENTITY", pc.invert(nobodys)), ("EVENT", nobodys)):
        uids = subjects(changed.filter(of_kind)).unique().to_pylist()
        found += followed_among(state, kind, uids)
    return pa.array(found, pa.string())


def check_selections(lists: RunLists) -> None:
    """Return if the source can be asked for each selection of the route.

    Raises:
        PermanentError: It cannot; the message names the key of the route.
    """
    for program, chosen in lists.route.selections.items():
        if chosen.attributes:
            _log.warning("program %s: %s", program, _LOGGED)
        try:
            _check(lists, program, chosen)
        except PermanentError as error:
            key = f"route {lists.route.name}, `selections.{program}`"
            raise PermanentError(f"{key}: {error}") from None


def _check(lists: RunLists, program: str, chosen: ProgramSelection) -> None:
    listing_requests(lists.selected(program, selection_of(chosen)), lists.source.dialect)
    if program not in lists.scopes.event_programs:
        return
    pointless = [name for name in _OF_PEOPLE if getattr(chosen, name) not in (None, ())]
    if pointless:
        raise PermanentError(f"a program without registration has no {', '.join(pointless)}")


def selection_of(chosen: ProgramSelection) -> Selection:
    """Return a route's selection as the client takes it."""
    days = chosen.occurred_from, chosen.occurred_to
    return Selection(
        filters=tuple(Filter(at.attribute, at.operator, at.values) for at in chosen.attributes),
        enrollment_status=chosen.enrollment_status,
        follow_up=chosen.follow_up,
        program_stage=chosen.program_stage or "",
        event_status=chosen.event_status,
        occurred=(days[0], days[1]) if days[0] and days[1] else None,
    )
