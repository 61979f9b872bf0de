"""The fresh: a batch that nobody has met yet, as columns from the bundles to its lines.

A first run has hardly any other, and a Python object for each of the batch's, from reading
to the ledger, was a fifth of what it costs from server to server (bench).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.import_report import LISTS
from dhis2_api.importer import ImportReport, Ref
from tracker_sync.bundling.json_text import joined
from tracker_sync.ledger import stored_lines
from tracker_sync.loading.stamps import read_stamp_rows
from tracker_sync.planning.objects import Tree, refs_of_rows, rows_of
from tracker_sync.staging.columns import column


@dataclass(frozen=True, slots=True)
class Fresh:
    """Objects that all go, parents first, each once.

    Attributes:
        rows: Rows of `bundles.OBJECT`.
        refs: What each is.
        tracked_entities: The person each belongs to; nobody for a lone event.
    """

    rows: pa.Table
    refs: Sequence[Ref]
    tracked_entities: pa.StringArray

    def request(self) -> bytes:
        """Return the flat JSON that holds exactly these; see `delivery.request_of`."""
        lists: defaultdict[str, list[memoryview | bytes]] = defaultdict(list)
        for ref, text in zip(self.refs, _views(self._texts()), strict=True):
            lists[ref.kind].append(text)
        for kind, texts in lists.items():
            texts[0] = b"".join((f'"{LISTS[kind]}":['.encode(), texts[0]))
            texts[-1] = b"".join((texts[-1], b"]"))
        # One text after another only here: each copy of megabytes counts.
        return b"{%b}" % b",".join(chain.from_iterable(lists.values()))

    def enrollments(self) -> Mapping[str, str]:
        """Return the enrollments: UID -> what is sent of it."""
        rows = self.rows.select(["uid", "content"])
        rows = rows.filter(pc.equal(self.rows["kind"], "ENROLLMENT"))
        return dict(zip(rows["uid"].to_pylist(), rows["content"].to_pylist(), strict=True))

    def all_stored(
        self, client: Dhis2Client, trees: Sequence[Tree], report: ImportReport
    ) -> pa.Table | None:
        """Return the lines of these, rows of `LEDGER`, if all are stored, and seen to be.

        Args:
            client: The destination.
            trees: The same batch.
            report: What it said.

        Raises:
            TransientError: It did not say what it has.
        """
        if report.refused or not report.stored.issuperset(self.refs):
            return None
        there = read_stamp_rows(client, trees)
        found = pc.index_in(column(self.rows, "uid"), value_set=column(there, "uid"))
        there = there.take(found)  # of nothing that is not there nothing: no kind, no stamp
        if not there["kind"].equals(self.rows["kind"]) or there["updated_at"].null_count:
            return None
        return stored_lines(self.rows, self.tracked_entities, there["updated_at"])

    def _texts(self) -> pa.BinaryArray:
        """Return what is sent of each: `difference.new_text`."""
        contents = self.rows["content"].combine_chunks().cast(pa.binary())
        beside = self.rows["beside"].combine_chunks()
        if beside.null_count == len(beside):
            return contents
        opened = pc.binary_slice(contents, 0, -1)
        end = pc.fill_null(joined(",", beside, "}"), "}")
        return pc.binary_join_element_wise(opened, end.cast(pa.binary()), b"")


def fresh_of(trees: Sequence[Tree]) -> Fresh | None:
    """Return a batch as columns; nothing if it is one object, or one that does not go as it is."""
    rows = rows_of(trees)
    if rows is None or len(rows) < 2:
        return None
    odd = rows["content"].null_count or rows["code"].null_count < len(rows)
    if odd or pc.any(rows["deleted"]).as_py():
        return None
    refs = [*refs_of_rows(rows)]
    if len({*refs}) < len(refs):
        return None
    sizes = [len(tree.objects) for tree in trees]
    people = pa.array([tree.tracked_entity for tree in trees], pa.string())
    return Fresh(rows, refs, people.take(np.repeat(np.arange(len(sizes)), sizes)))


def _views(texts: pa.BinaryArray) -> Iterator[memoryview]:
    """Return each text where it lies: to copy it once, into the request, is enough."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].tolist()
    held = memoryview(data)
    return (held[start:stop] for start, stop in pairwise(ends))
