"""The compaction: how many pages of a state become one that says the same.

Of the lines about an object those stay that a fold may want, now or after any further
line: the last, the last of another run (a run does not ask for its own), and the last
that says whether it is followed. Any part of a state may be compacted at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.state.fold import ORDER, decides
from tracker_sync.state.pages import STATE, PageVanished, new_page, pages, parts


_LINES_AT_ONCE = 100_000
_SAMPLED = 100  # one line in so many tells how the lines are spread
_SMALL = 1_000_000  # bytes
_MANY = 100
_OBJECT = ("tracked_entity", "kind", "uid")


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did.

    Attributes:
        pages: How many pages became one; 0 if nothing was to be done.
        lines: How many lines they held.
        kept: How many of these stayed.
    """

    pages: int = 0
    lines: int = 0
    kept: int = 0


def compact(folder: Path) -> Compacted:
    """Make one page of all pages of a state.

    Needs no lock: killed at any moment it leaves lines twice at worst, which count once;
    who reads meanwhile reads again; and of two compactions one gives up.

    Raises:
        StateUnusable: A page is damaged, or of another release.
        StagingUnusable: The disk is full, or the folder is not ours to write.
    """
    return _compact(folder, pages(folder))


def merge_small_pages(folder: Path) -> Compacted:
    """Do the same to the small pages once there are many: opening them is what takes time."""
    small = {page for page in pages(folder) if _bytes(page) < _SMALL}
    return _compact(folder, small) if len(small) >= _MANY else Compacted()


def _bytes(page: Path) -> int:
    try:
        return page.stat().st_size
    except FileNotFoundError:  # compacted this moment
        return 0


def _compact(folder: Path, before: set[Path]) -> Compacted:
    if len(before) < 2:
        return Compacted()
    lines = kept = 0
    try:
        with new_page(folder) as file:
            for part in _person_by_person(before):
                needed = _needed(part)
                file.write_table(needed)
                lines, kept = lines + part.num_rows, kept + needed.num_rows
    except PageVanished:  # another compaction is at it
        return Compacted()
    for page in before:
        page.unlink(missing_ok=True)
    return Compacted(len(before), lines, kept)


def _person_by_person(before: set[Path]) -> Iterator[pa.Table]:
    """Yield all lines in parts that fit into memory, those about one person in one part."""
    bounds = _bounds(before)
    for low, high in zip([None, *bounds], [*bounds, None], strict=True):
        chosen = (part.filter(_between(_owner(part), low, high)) for part in parts(before))
        yield pa.concat_tables([STATE.empty_table(), *(part.cast(STATE) for part in chosen)])


def _bounds(before: set[Path]) -> list[str]:
    """Return UIDs that cut the lines into parts, from a sample of them."""
    sample: list[str] = []
    for part in parts(before, ["tracked_entity", "uid"]):
        sample += _owner(part)[::_SAMPLED].to_pylist()
    sample.sort()
    return sorted({*sample[:: _LINES_AT_ONCE // _SAMPLED][1:]})


def _owner(part: pa.Table) -> pa.ChunkedArray:
    """Return of each line the person, or the event that belongs to nobody."""
    return pc.coalesce(part["tracked_entity"], part["uid"])


def _between(owner: pa.ChunkedArray, low: str | None, high: str | None) -> pa.ChunkedArray:
    above = pc.greater_equal(owner, low or "")
    return pc.and_(above, pc.less(owner, high)) if high else above


def _needed(part: pa.Table) -> pa.Table:
    """Return the lines that stay."""
    part = part.sort_by([(name, "ascending") for name in ORDER])
    lines = pa.table(
        {
            "line": pa.array(range(part.num_rows), pa.int64()),
            "object": _numbered(*(part[name] for name in _OBJECT)),
            "run": _numbered(part["run"]),
        }
    )
    last = _last_of_each(lines, "object")
    of_each_run = _last_of_each(lines, "object", "run")
    others = of_each_run.filter(pc.invert(pc.is_in(of_each_run["line"], value_set=last["line"])))
    deciding = _last_of_each(lines.filter(decides(part)), "object")
    stay = pa.concat_tables([last, _last_of_each(others, "object"), deciding])
    return part.filter(pc.is_in(lines["line"], value_set=stay["line"]))


def _numbered(*columns: pa.ChunkedArray) -> pa.Array:
    """Return numbers, equal for equal rows: grouping by them is quicker than by texts."""
    filled = (pc.fill_null(column, "") for column in columns)
    rows = pc.binary_join_element_wise(*filled, "\n").combine_chunks()
    return rows.dictionary_encode().indices


def _last_of_each(lines: pa.Table, *key: str) -> pa.Table:
    """Return the last line of each group; the lines are in order."""
    groups = lines.group_by(key, use_threads=False).aggregate([("line", "max")])
    return lines.filter(pc.is_in(lines["line"], value_set=groups["line_max"]))
