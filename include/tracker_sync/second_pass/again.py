"""Again: who of a slice was refused because of an order, and what a further try makes of them.

Two holders of one unique value never go in one request: then both are refused, and in
two requests at once both are stored (measured: Writing).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.ledger import as_entries, read_lines
from tracker_sync.loading.batch import Destination, load_batch
from tracker_sync.loading.intending import telling
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.objects import Tree, trees_of
from tracker_sync.planning.plan import Known, Past
from tracker_sync.runs.after_slices import AfterSlices
from tracker_sync.runs.loaded_slices import Basis, Loaded
from tracker_sync.runs.plan import read_run_plan
from tracker_sync.runs.replay import as_asked
from tracker_sync.second_pass.unique_values import TWICE, WAITS, UniqueValues, unique_digests
from tracker_sync.staging.file_values import values_in


#: What another object of the same run may have stood in the way of, or was to come before.
ORDER = frozenset({"E1015", "E1016", "E1039", "E1064", "E1068", "E4012", WAITS})
_OPEN = {Outcome.REFUSED, Outcome.MISSING}


@dataclass(slots=True)
class Again:
    """The people and events of one slice that the second pass is about.

    Attributes:
        destination: The server that is written to.
        basis: What their lines rest on.
        past: What their plans rest on.
        trees: Those who are still refused because of an order, by UID.
        digests: What each of them has of unique values, as keyed digests.
        first: Their lines as the slice's load wrote them.
        lines: Their lines as they stand now.
        at_once: How many go into one request.
    """

    destination: Destination
    basis: Basis
    past: Past
    trees: dict[str, Tree]
    digests: Mapping[str, Collection[bytes]]
    first: Mapping[Ref, Entry]
    at_once: int
    lines: dict[Ref, Entry] = field(default_factory=dict)

    def round(self) -> None:
        """Send who is still refused, and forget who is not any more."""
        for batch in self._apart():
            for entry in load_batch(self.destination, batch, self.past):
                self.lines[entry.ref] = _later(self._line(entry.ref), entry)
        self.trees = {uid: tree for uid, tree in self.trees.items() if self._is_stuck(tree)}

    def entries(self) -> list[Entry]:
        """Return the lines that are others now than the slice's load wrote."""
        return [line for ref, line in self.lines.items() if line != self.first.get(ref)]

    def lines_of(self, person: str) -> list[Entry]:
        """Return the lines of somebody who is stuck in this slice, as they stand now."""
        below = self.trees[person].objects if person in self.trees else ()
        return [line for line in map(self._line, (item.ref for item in below)) if line]

    def name_shared(self, people: Collection[str]) -> None:
        """Say of those of *people* who are of this slice that another has their unique value."""
        for ref, line in self.first.items():
            if ref.kind == "TRACKED_ENTITY" and ref.uid in people:
                now, before = self.lines.get(ref, line), self.past.known.get(ref)
                known = before is not None and before.refused == TWICE
                self.lines[ref] = now.but(
                    outcome=Outcome.REFUSED, action=None, code=TWICE, known=known
                )

    def _line(self, ref: Ref) -> Entry | None:
        return self.lines.get(ref, self.first.get(ref))

    def _is_stuck(self, tree: Tree) -> bool:
        lines = filter(None, (self._line(item.ref) for item in tree.objects))
        return any(line.outcome is Outcome.REFUSED and line.code in ORDER for line in lines)

    def _apart(self) -> Iterator[list[Tree]]:
        """Yield who is stuck in batches of which none holds a unique value twice."""
        waiting = [*self.trees.values()]
        while waiting:
            batch: list[Tree] = []
            taken: set[bytes] = set()
            later: list[Tree] = []
            for tree in waiting:
                own = self.digests.get(tree.uid, ())
                fits = len(batch) < self.at_once and taken.isdisjoint(own)
                (batch if fits else later).append(tree)
                taken.update(own if fits else ())
            yield batch
            waiting = later


def agains(after: AfterSlices, unique: UniqueValues) -> Iterator[Again]:
    """Yield each slice that has somebody whom the second pass is about."""
    shared = frozenset[str]().union(*unique.shared())
    for loaded in after.loaded():
        lines = read_lines(after.workspace.ledger(loaded.piece.slice))
        roots = pc.coalesce(lines["tracked_entity"], lines["uid"])
        stuck = {*roots.filter(_refused_by_order(lines)).to_pylist()}
        about = pc.is_in(roots, value_set=pa.array([*stuck, *shared], pa.string()))
        entries = as_entries(lines.filter(about))
        if entries:
            of_them = {entry.ref: entry for entry in entries}
            yield _again(after, loaded, unique.secret(), of_them, stuck)


def _again(
    after: AfterSlices, loaded: Loaded, secret: bytes, lines: Mapping[Ref, Entry], stuck: set[str]
) -> Again:
    found = [*_bundles(loaded, stuck)]
    trees = {tree.uid: tree for part in found for tree in trees_of(part)}
    everybody = {line.root for line in lines.values()}
    people, events = (set(), everybody) if loaded.piece.program else (everybody, set())
    known = _but_what_we_wrote(after.known(people, events), lines)
    return Again(
        _destination(after, loaded, known),
        loaded.basis,
        Past(
            as_asked(known, read_run_plan(after.workspace.plan)),
            loaded.basis.read_number,
            after.model,
        ),
        trees,
        {uid: unique_digests(tree, after.model, secret).keys() for uid, tree in trees.items()},
        lines,
        after.route.batches.tracked_entities,
    )


def _destination(after: AfterSlices, loaded: Loaded, known: Collection[Ref]) -> Destination:
    """Return the destination with the route's terms and the slice's files."""
    edits = after.route.destination_edits
    about_to = telling(
        edits, known, lambda lines: after.remember("second_pass", loaded.basis, lines)
    )
    files = values_in(loaded.bundles)
    return replace(after.destination, files=files, edits=edits, about_to=about_to)


def _but_what_we_wrote(known: Mapping[Ref, Known], lines: Mapping[Ref, Entry]) -> dict[Ref, Known]:
    """Forget the stamps of what this run has sent: it has moved them itself, nobody else did."""
    sent = {ref for ref, line in lines.items() if line.sent}
    return {
        ref: replace(of, destination_updated_at=None) if ref in sent else of
        for ref, of in known.items()
    }


def _bundles(loaded: Loaded, roots: Collection[str]) -> Iterator[pa.Table]:
    """Yield the rows of `bundles.BUNDLES` of some people or events of a slice."""
    wanted = pa.array(roots, pa.string())
    for group in loaded.bundles.row_groups("bundles"):
        rows = group["bundles"]
        yield rows.filter(pc.is_in(rows["uid"], value_set=wanted))


def _refused_by_order(lines: pa.Table) -> pa.ChunkedArray:
    refused = pc.equal(lines["outcome"], str(Outcome.REFUSED))
    return pc.and_(refused, pc.is_in(lines["code"], value_set=pa.array(ORDER, pa.string())))


def _later(line: Entry | None, now: Entry) -> Entry:
    """Return the line of an object after one more try.

    What is as it should be now, and was stored by this run before, stays stored; its stamp
    may have moved with what was written below it (measured: Clock).
    """
    if line is None or line.outcome in _OPEN or now.outcome is not Outcome.UNCHANGED:
        return now
    return line.but(destination_updated_at=now.destination_updated_at)
