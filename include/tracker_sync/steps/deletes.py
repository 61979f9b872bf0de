"""The step `deletes`: send the deletions that are held, if the route lets us."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.deletions.judging import ALIVE_AGAIN, judge
from tracker_sync.deletions.lines import Before, as_it_is, decided, held_line
from tracker_sync.deletions.policy import asked_by, send_deletions
from tracker_sync.deletions.standing import Found
from tracker_sync.deletions.waiting import (
    EDITED,
    HELD,
    Waiting,
    by_roots,
    events_of,
    people_of,
    waiting_deletions,
)
from tracker_sync.ledger import as_entries, read_lines
from tracker_sync.outcome import Entry
from tracker_sync.relationships.hanging import Link
from tracker_sync.runs.after_slices import PHASES, AfterSlices
from tracker_sync.runs.loaded_slices import Basis
from tracker_sync.second_pass.following_stamps import following_stamps
from tracker_sync.state.restamping import restamp
from tracker_sync.steps.deletion_scene import scene_of, standing_there


_log = logging.getLogger(__name__)


def run(after: AfterSlices) -> dict[str, Any]:
    """Delete at the destination what is deleted at the source; return the counts.

    What this run and those before it held; of each it is asked anew whether the source has
    it alive again, and what the destination has below it.
    """
    waiting = _waiting(after)
    _log.info("%s deletions wait; the route says `deletes: %s`", len(waiting), after.route.deletes)
    done = _Deletes(after)
    if after.route.deletes == "send":
        for some in by_roots(waiting):
            done.judge(some)
        done.send()
    elif after.destination.dry_run:
        done.hold(waiting)
    return after.finish("deletes", done.by_basis())


def _waiting(after: AfterSlices) -> dict[Ref, Waiting]:
    """Return the deletions that wait; those of a dry run, which no state knows, too."""
    also = _held_now(after) | asked_by(after.workspace, ["deletes"])
    waiting = waiting_deletions(after.state, also)
    return {**_seen_dry(after), **waiting} if after.destination.dry_run else waiting


def _seen_dry(after: AfterSlices) -> dict[Ref, Waiting]:
    found: dict[Ref, Waiting] = {}
    for loaded in after.loaded():
        lines = read_lines(after.workspace.ledger(loaded.piece.slice))
        for line in as_entries(lines.filter(pc.equal(lines["code"], HELD))):
            basis = loaded.basis
            seen = Waiting(line.tracked_entity, basis.program, basis.read_number, line.updated_at)
            found[line.ref] = seen
    return found


def _held_now(after: AfterSlices) -> set[Ref]:
    """Return what the slices of this run held."""
    paths = (after.workspace.ledger(piece.slice) for piece in after.slices())
    found: set[Ref] = set()
    for lines in (read_lines(path, "kind", "uid", "code") for path in paths if path.is_file()):
        held = lines.filter(pc.equal(lines["code"], HELD))
        found |= {*map(Ref, held["kind"].to_pylist(), held["uid"].to_pylist())}
    return found


@dataclass(slots=True)
class _Deletes:
    """The deletions of one run: judged, then sent, then looked at again."""

    after: AfterSlices
    waiting: dict[Ref, Waiting] = field(default_factory=dict)
    going: dict[Ref, Entry] = field(default_factory=dict)
    lines: dict[Ref, Entry] = field(default_factory=dict)
    before: dict[Ref, Found] = field(default_factory=dict)
    links: dict[Ref, Link] = field(default_factory=dict)

    def hold(self, waiting: dict[Ref, Waiting]) -> None:
        """Tell of all that waits that the route holds it."""
        self.waiting |= waiting
        self.lines |= {ref: held_line(ref, one) for ref, one in waiting.items()}

    def judge(self, waiting: dict[Ref, Waiting]) -> None:
        """Judge some of what waits; what may go is sent later, when all of it is counted."""
        scene = scene_of(self.after, waiting)
        judged = judge(scene)
        before = self._before(waiting | judged.going)
        known = before.known
        self.lines |= decided(judged, before)
        self.links |= scene.links
        self.going |= {
            ref: held_line(ref, one, known.get(ref), scene.links.get(ref))
            for ref, one in judged.going.items()
        }
        self.waiting |= {**waiting, **judged.going}
        self.before |= scene.destination if judged.going else {}

    def send(self) -> None:
        """Delete what may go; then the destination itself says what became of it."""
        to_go = [*self.going.values()]
        with following_stamps(self.after, "deletes", self._others()):
            sent = {line.ref: line for line in send_deletions(self.after, "deletes", to_go)}
        self.lines |= sent
        if any(line.sent for line in sent.values()):
            now = standing_there(self.after, {ref: self.waiting[ref] for ref in sent})
            self.lines |= {ref: as_it_is(line, now, self.links) for ref, line in sent.items()}
            self._restamp(now)

    def _others(self) -> set[str]:
        """Return the people whose stamps move because they lose a relationship."""
        going = (self.links[ref] for ref in self.going if ref in self.links)
        people = {end.uid for link in going for end in link.ends if end.kind == "TRACKED_ENTITY"}
        return people - people_of(self.waiting)

    def by_basis(self) -> Mapping[Basis, list[Entry]]:
        """Return all lines by what they rest on: the read that showed them deleted."""
        lines: defaultdict[Basis, list[Entry]] = defaultdict(list)
        for ref, line in self.lines.items():
            one = self.waiting[ref]
            lines[Basis(one.read_number, one.program)].append(line)
        return lines

    def _before(self, waiting: Mapping[Ref, Waiting]) -> Before:
        known = self.after.known(people_of(waiting), events_of(waiting))
        reports = self.after.route.destination_edits == "report"
        refusing = (ALIVE_AGAIN, EDITED) if reports else (ALIVE_AGAIN,)
        return Before(asked_by(self.after.workspace, PHASES), known, refusing)

    def _restamp(self, now: Mapping[Ref, Found]) -> None:
        """Deleting moved the stamps of what stands above, and lives on (measured: Clock)."""
        moved = {
            ref: (self.before[ref].updated_at, found.updated_at)
            for ref, found in now.items()
            if ref in self.before and not found.deleted
        }
        restamp(self.after.state, "deletes", moved)
