"""The policy of deletions, for every phase that deletes: held or sent, and how many at most."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.deletions.sending import delete_all
from tracker_sync.deletions.waiting import ABOVE_CAP, HELD, living_objects
from tracker_sync.ledger import read_lines
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.would_be import DRY_RUN, would_be
from tracker_sync.publish import publish
from tracker_sync.runs.after_slices import PHASES, AfterSlices
from tracker_sync.sending.delivery import refused
from tracker_sync.workspace import Workspace


FEWEST = 100
_PARTS = 100  # one of so many of the scope

_TOO_MANY = (
    "%s deletions in this run, and without a person's word at most %s: nothing is deleted. If "
    "they are right, trigger the route by hand with `deletes_at_most` = %s"
)

_log = logging.getLogger(__name__)


def send_deletions(after: AfterSlices, phase: str, lines: Sequence[Entry]) -> list[Entry]:
    """Delete objects at the destination, if the route says so, and return their lines.

    All phases of a run count together, tries that were killed too. Above what a run may
    delete nothing is sent, and the lines make the run red.

    Args:
        after: What the phase works with.
        phase: Which one it is.
        lines: What is to be deleted, one line an object.

    Returns:
        Each line, in the same order: `stored` as `deleted`, `refused` with the
        destination's code, or `held`.

    Raises:
        TransientError: The destination stopped answering; some may be deleted.
    """
    if after.route.deletes == "hold":
        return [_held(line, HELD) for line in lines]
    before = asked_by(after.workspace, PHASES) | _kept_back(after.workspace)
    asked = before | {line.ref for line in lines}
    most = deletions_allowed(after)
    if len(asked) > most:
        _log.warning(_TOO_MANY, len(asked), most, len(asked))
        return [_held(line, ABOVE_CAP) for line in lines]
    if after.destination.dry_run:
        return [would_be(line, "deleted") for line in lines]
    _note_asked(after.workspace, phase, [line.ref for line in lines])
    there = {_there(line): line.ref for line in lines}
    why = delete_all(after.destination, there, after.route.batches.tracked_entities)
    codes = {there[ref]: code for ref, code in why.items()}
    return [_sent(line, codes.get(line.ref)) for line in lines]


def keep_back(after: AfterSlices, lines: Sequence[Entry]) -> list[Entry]:
    """Return the lines of more deletions than a run may send, which it does not even look into."""
    if after.route.deletes == "hold":
        return [_held(line, HELD) for line in lines]
    if lines:
        _log.warning(_TOO_MANY, len(lines), deletions_allowed(after), len(lines))
    return [_held(line, ABOVE_CAP) for line in lines]


def deletions_allowed(after: AfterSlices) -> int:
    """Return how many deletions a run may send."""
    return most_deletions(after.state, after.deletes_at_most)


def most_deletions(state: Path, allowed: int | None) -> int:
    """Return how many deletions a run may send: what a person allowed, or 1 % and at least 100.

    Args:
        state: What the route's runs remember; 1 % of what lives on both servers by it.
        allowed: What a person said.
    """
    return max(FEWEST, living_objects(state) // _PARTS) if allowed is None else allowed


def asked_by(workspace: Workspace, phases: Iterable[str]) -> set[Ref]:
    """Return what this run asked the destination to delete so far, in whatever try."""
    paths = [workspace.asked_to_delete(phase) for phase in phases]
    found = [json.loads(path.read_bytes()) for path in paths if path.is_file()]
    return {Ref(kind, uid) for of_phase in found for kind, uid in of_phase}


def _kept_back(workspace: Workspace) -> set[Ref]:
    """Return what an earlier phase would have deleted, had it been fewer, or no dry run."""
    found: set[Ref] = set()
    for path in filter(Path.is_file, map(workspace.ledger, PHASES)):
        lines = read_lines(path)
        dry = pc.and_(pc.equal(lines["code"], DRY_RUN), pc.equal(lines["action"], "deleted"))
        capped = lines.filter(pc.or_kleene(pc.equal(lines["code"], ABOVE_CAP), dry))
        found |= {*map(Ref, capped["kind"].to_pylist(), capped["uid"].to_pylist())}
    return found


def _note_asked(workspace: Workspace, phase: str, refs: Iterable[Ref]) -> None:
    """Write down what is about to be deleted, before it is: a try that is killed tells nothing."""
    asked = asked_by(workspace, [phase]).union(refs)
    publish(workspace.asked_to_delete(phase), json.dumps(sorted(asked)).encode())


def _there(line: Entry) -> Ref:
    return Ref(line.ref.kind, line.destination_uid or line.ref.uid)


def _held(line: Entry, code: str) -> Entry:
    return line.but(outcome=Outcome.HELD, action=None, code=code, known=False, sent=False)


def _sent(line: Entry, code: str | None) -> Entry:
    if code is None:
        return line.but(outcome=Outcome.STORED, action="deleted", code=None, known=False, sent=True)
    return refused(line.but(sent=True), code)
