"""The lists of a run: which ones the source is asked for, and what they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.export import Listing
from dhis2_api.fields import LISTING_FIELDS, Listed
from dhis2_api.selection import Selection
from tracker_sync.metadata.model import Model
from tracker_sync.reading.listing import Keep, Passes, Source, newest, read_lists
from tracker_sync.route import Route
from tracker_sync.windows.window import Window


KINDS: tuple[Listed, ...] = ("trackedEntities", "enrollments", "events")

# Somebody enrolled elsewhere is not unenrolled, and would come round a selection.
_UNENROLLED = f"{LISTING_FIELDS['trackedEntities']},enrollments[enrollment,deleted]"
_LONE_EVENT = "event,orgUnit,updatedAt,deleted"  # nobody's, so without `trackedEntity`


@dataclass(frozen=True, slots=True)
class Scopes:
    """What lists are asked for by: programs, and types of people without enrollment.

    Attributes:
        programs: Those with registration, each listed by people, enrollments and events.
        event_programs: Those without, each listed by its events.
        types: Those of which people without any living enrollment are listed.
    """

    programs: tuple[str, ...]
    event_programs: tuple[str, ...]
    types: tuple[str, ...]

    def all(self) -> tuple[str, ...]:
        """Return all of them; each has a window of its own."""
        return (*self.programs, *self.event_programs, *self.types)


def scopes_of(route: Route, model: Model) -> Scopes:
    """Return what the lists of a route are asked for by."""
    lone = [uid for uid in route.programs if uid in model.event_programs]
    registering = [uid for uid in route.programs if uid not in model.event_programs]
    types = {model.tracked_entity_types[uid] for uid in registering}
    unenrolled = sorted(types) if route.reading.unenrolled else ()
    return Scopes(tuple(registering), tuple(lone), tuple(unenrolled))


@dataclass(frozen=True, slots=True)
class RunLists:
    """The lists of one route at its source.

    Attributes:
        source: The server that is read.
        route: The route.
        scopes: What its lists are asked for by.
        drawn_back: By how much earlier than their windows and the overlap they begin.
    """

    source: Source
    route: Route
    scopes: Scopes
    drawn_back: timedelta = timedelta(0)

    def read(self, windows: Mapping[str, Window], keep: Keep) -> Passes:
        """Give *keep* what changed in the windows, one for each scope, as `read_lists` does."""
        overlap = timedelta(minutes=self.route.reading.overlap_minutes) + self.drawn_back
        listings = [
            replace(listing, updated_after=windows[scope].read_from(overlap, self.source.zone))
            for scope in self.scopes.all()
            for listing in self._whole(scope)
        ]
        return read_lists(self.source, listings, keep)

    def selected(self, program: str, selection: Selection) -> Listing:
        """Return the list of all whom a selection holds now, whenever they changed."""
        whole, *_ = self._whole(program)
        return replace(whole, selection=selection, living=True)

    def _whole(self, scope: str) -> list[Listing]:
        route, scopes = self.route, self.scopes
        whole = Listing("trackedEntities", scope, route.org_units, None, route.reading.page_size)
        if scope in scopes.types:
            return [replace(whole, program="", tracked_entity_type=scope, fields=_UNENROLLED)]
        if scope in scopes.event_programs:
            return [replace(whole, kind="events", fields=_LONE_EVENT)]
        return [replace(whole, kind=kind) for kind in KINDS]


def changes(listed: pa.Table, windows: Mapping[str, Window]) -> pa.Table:
    """Return of all that lists named of some people what changed in the windows, each once."""
    rows = newest(listed)
    return pa.concat_tables([_within(rows, scope, window) for scope, window in windows.items()])


def _within(listed: pa.Table, scope: str, window: Window) -> pa.Table:
    """Leave out what windows after this one were accounted for."""
    rows = listed.filter(pc.equal(listed["scope"], scope))
    if window.covered is None or window.covered <= window.end:
        return rows  # there are none, but after a window of the past
    readings = (rows[name].to_pylist() for name in ("updated_at_earliest", "updated_at"))
    held = [window.holds(earliest, latest) for earliest, latest in zip(*readings, strict=True)]
    return rows.filter(pa.array(held, pa.bool_()))
