"""The fold: what all the lines about one object come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.outcome import Outcome
from tracker_sync.state.lines import Wanted, among, lines, texts


# Of two lines about one object the later counts: the later read, then the later written,
# which a clock may tell because both rest on one read. The rest of the order only makes
# sure that there is one.
ORDER = ("read_number", "at", "run")


def fold(
    folder: Path, columns: Sequence[str], wanted: Wanted, judged_by: Sequence[str] = ()
) -> dict[Ref, tuple[Any, ...]]:
    """Return the last of the wanted lines of each object.

    Args:
        folder: The state.
        columns: What to return of a line.
        wanted: Says of each line of a table whether it is wanted.
        judged_by: The columns that *wanted* looks at besides.
    """
    found = lines(folder, [*dict.fromkeys(("kind", "uid", *columns, *ORDER))], wanted, judged_by)
    found = found.sort_by([(name, "ascending") for name in ORDER])
    values = zip(*(_values(found[name]) for name in columns), strict=True)
    refs = map(Ref, _values(found["kind"]), found["uid"].to_pylist())
    return dict(zip(refs, values, strict=True))


#: The code of what a run was about to send, and nobody knows yet what became of it.
ON_ITS_WAY = "SYNC_ON_ITS_WAY"


def is_refused(part: pa.Table) -> pa.ChunkedArray:
    """Whether lines speak of a refusal."""
    return among(part["outcome"], texts([Outcome.REFUSED]))


def decides(part: pa.Table) -> pa.ChunkedArray:
    """Whether lines say that an object is followed from then on, or no more.

    With content, stored or unchanged, the destination holds it; without, and not refused,
    the source has it no more.
    """
    content = pc.is_valid(part["content_hash"])
    held = among(part["outcome"], texts([Outcome.STORED, Outcome.UNCHANGED]))
    return pc.if_else(content, held, pc.invert(is_refused(part)))


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values, equal ones being one object: most columns hold few of them."""
    encoded = column.combine_chunks().dictionary_encode()
    known = encoded.dictionary.to_pylist()
    return [None if code is None else known[code] for code in encoded.indices.to_pylist()]
