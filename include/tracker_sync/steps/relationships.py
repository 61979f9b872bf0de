"""The step `relationships`: bring the relationships, once both their ends may be there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dhis2_api.importer import Ref
from tracker_sync.deletions.policy import keep_back, send_deletions
from tracker_sync.outcome import Entry
from tracker_sync.relationships.gone import look_for
from tracker_sync.relationships.link import people_of
from tracker_sync.relationships.missed import missed
from tracker_sync.relationships.of_run import Met, ReadRelationships, read_by_slices
from tracker_sync.relationships.plan import plan_relationships
from tracker_sync.relationships.sending import AT_ONCE, ToSend, send_relationships
from tracker_sync.relationships.state import About, Known, known_relationships
from tracker_sync.relationships.unsent import to_come, would_relate
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.loaded_slices import Basis
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.second_pass.following_stamps import following_stamps


PHASE = "relationships"


def run(after: AfterSlices) -> dict[str, Any]:
    """Bring what came, settle what is gone, and return the counts of what it came to.

    Raises:
        DamagedPackage: A staged file is not what was written.
        TransientError: The destination stopped answering.
    """
    read = read_by_slices(after)
    phase = _Phase(after, read, _known(after, read))
    phase.bring()
    phase.settle_the_gone()
    return after.finish(PHASE, phase.lines, phase.kept)


def _known(after: AfterSlices, read: ReadRelationships) -> dict[str, Known]:
    about = About(
        uids=read.met.keys(),
        roots=read.roots.keys() | read.buried.keys(),
        held=after.route.deletes == "send",
    )
    known = known_relationships(after.state, about, after.run)
    if not read_run_plan(after.workspace.plan).again:
        return known
    # As if the metadata had changed, each refusal is looked into again.
    return {uid: replace(one, model_hash="") for uid, one in known.items()}


@dataclass(slots=True)
class _Phase:
    after: AfterSlices
    read: ReadRelationships
    known: dict[str, Known]
    lines: defaultdict[Basis, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    kept: set[Ref] = field(default_factory=set)

    def bring(self) -> None:
        """Send what the destination lacks."""
        client, model = self.after.destination.client, self.after.model
        send = self._send
        if self.after.destination.dry_run:
            send = partial(self._would_send, frozenset(to_come(self.after)))
        by_basis: defaultdict[Basis, list[Met]] = defaultdict(list)
        for met in self.read.met.values():
            by_basis[met.basis].append(met)
        for basis, came in by_basis.items():
            planned = plan_relationships(client, came, self.known, model.hash)
            self.lines[basis] += planned.lines
            for batch in _batches(planned.to_send):
                send(basis, batch)

    def _send(self, basis: Basis, batch: Sequence[ToSend]) -> None:
        people = people_of(item.relationship for item in batch)
        with following_stamps(self.after, PHASE, people):
            lines = send_relationships(self.after.destination, batch)
        self._keep(basis, lines)

    def _would_send(self, coming: Collection[Ref], basis: Basis, batch: Sequence[ToSend]) -> None:
        self.lines[basis] += would_relate(self.after, batch, coming)

    def settle_the_gone(self) -> None:
        """Hold or delete what the source has deleted."""
        gone = missed(self.read, self.known, sends=self.after.route.deletes == "send")
        living = [met.relationship for met in self.read.met.values()]
        found = look_for(self.after, gone.known, living)
        for line in (*found.lines, *keep_back(self.after, found.too_many)):
            self.lines[gone.bases[line.ref.uid]].append(line)
        if not found.doomed:
            return
        with following_stamps(self.after, PHASE, people_of(there for _, there in found.doomed)):
            lines = send_deletions(self.after, PHASE, [entry for entry, _ in found.doomed])
        by_basis: defaultdict[Basis, list[Entry]] = defaultdict(list)
        for line in lines:
            by_basis[gone.bases[line.ref.uid]].append(line)
        for basis, theirs in by_basis.items():
            self._keep(basis, theirs)

    def _keep(self, basis: Basis, lines: Sequence[Entry]) -> None:
        self.after.remember(PHASE, basis, lines)
        self.lines[basis] += lines
        self.kept |= {line.ref for line in lines}


def _batches(items: Sequence[ToSend]) -> Iterator[Sequence[ToSend]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
