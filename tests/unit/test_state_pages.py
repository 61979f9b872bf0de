"""Nothing the state knows is lost: whatever the order, the compactions, the kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import SURVEILLANCE
from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import sha256_of
from tracker_sync.state import lines as state_lines
from tracker_sync.state.compaction import Compacted, compact
from tracker_sync.state.known import (
    Page,
    followed_among,
    open_refusals,
    recall,
    remember,
)
from tracker_sync.state.lines import lines
from tracker_sync.state.pages import (
    STATE,
    PageVanished,
    StateUnusable,
    new_page,
    pages,
    parts,
)


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
PEOPLE, RUNS = ["person00001", "person00002"], ["r1", "r2", "r3"]
OBJECTS = [
    *(Ref("TRACKED_ENTITY", uid) for uid in PEOPLE),
    *(Ref("EVENT", f"event00000{number}") for number in (1, 2, 3)),
]
LONE = OBJECTS[-1]
COLUMNS = {name: STATE.field(name).type for name in STATE.names}
REMEMBERED = [Outcome.STORED, Outcome.UNCHANGED, Outcome.REFUSED, Outcome.HELD]

# A line is an object, what became of it, the run, and the number of the read; lines are written
# in the order of the list, whatever the number.
LINES = st.lists(
    st.tuples(
        st.sampled_from(OBJECTS),
        st.sampled_from(REMEMBERED),
        st.sampled_from([None, "h1", "h2"]),
        st.sampled_from(RUNS),
        st.integers(0, 3),
    ),
    max_size=8,
)
Line = tuple[Ref, Outcome, str | None, str, int]


def owner(ref: Ref) -> str | None:
    if ref == LONE:
        return None
    return ref.uid if ref.kind == "TRACKED_ENTITY" else PEOPLE[0]


def write(folder: Path, line: Line, number: int) -> None:
    """Write a line as a load would that ends at minute *number*."""
    ref, outcome, content, run, read = line
    row = dict.fromkeys(COLUMNS) | {
        "kind": ref.kind,
        "uid": ref.uid,
        "tracked_entity": owner(ref),
        "program": None if owner(ref) else SURVEILLANCE,
        "outcome": str(outcome),
        "code": "E1125" if outcome is Outcome.REFUSED else None,
        "content_hash": content,
        "model_hash": "m1",
        "run": run,
        "read_number": read,
        "read_at": NOON - timedelta(hours=read),  # a clock that goes backwards
        "at": NOON + timedelta(days=1, minutes=number),
    }
    with new_page(folder, "slice") as file:
        file.write_table(pa.Table.from_pylist([row], STATE))


def known(folder: Path) -> list[Any]:
    """Return everything that the state answers."""
    recalled = [recall(folder, PEOPLE, run, [LONE.uid]) for run in [*RUNS, "r9"]]
    uids = [ref.uid for ref in OBJECTS]
    followed = {
        Ref(kind, uid)
        for kind in ("TRACKED_ENTITY", "EVENT")
        for uid in followed_among(folder, kind, uids)
    }
    return [recalled, followed, open_refusals(folder)]


def by_hand(written: list[Line]) -> list[Any]:
    """Return the same, from the lines in a list."""
    order = sorted(range(len(written)), key=lambda number: (written[number][4], number))
    ordered = [written[number] for number in order]
    recalled = []
    for but_run in [*RUNS, "r9"]:
        last = {line[0]: line for line in ordered if line[3] != but_run}
        recalled.append({ref: (line[4], line[2], line[1]) for ref, line in last.items()})
    alive: dict[Ref, bool] = {}
    for ref, outcome, content, _, _ in ordered:
        if outcome is not Outcome.REFUSED and content is None:
            alive[ref] = False
        elif outcome in (Outcome.STORED, Outcome.UNCHANGED):
            alive[ref] = True
    everything = recalled[-1]
    refused = {ref for ref, line in everything.items() if line[2] is Outcome.REFUSED}
    theirs = {Ref("TRACKED_ENTITY", person): "" for ref in refused if (person := owner(ref))}
    again = theirs | {ref: SURVEILLANCE for ref in refused if not owner(ref)}
    return [recalled, {ref for ref, lives in alive.items() if lives}, again]


@given(LINES, st.randoms(use_true_random=False), st.sets(st.integers(0, 7)))
def test_any_order_and_any_compaction_leave_the_same_fold(
    written: list[Line], chance: Any, compactions: set[int]
) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        straight, shuffled = Path(one), Path(other)
        for number, line in enumerate(written):
            write(straight, line, number)
        numbered = [*enumerate(written)]
        chance.shuffle(numbered)
        for step, (number, line) in enumerate(numbered):
            write(shuffled, line, number)
            if step in compactions:
                compact(shuffled)

        answers = known(shuffled)

        assert answers == known(straight)
        recalled, alive, again = by_hand(written)
        assert answers[1] == alive
        assert answers[2] == again
        assert [
            {
                ref: (
                    what.read_number,
                    what.content_hash,
                    what.refused is not None,
                )
                for ref, what in found.items()
            }
            for found in answers[0]
        ] == [
            {
                ref: (number, content, end is Outcome.REFUSED)
                for ref, (number, content, end) in r.items()
            }
            for r in recalled
        ]


def filled(folder: Path, nights: int = 6) -> list[Any]:
    """Write a state of some nights, and return all it knows."""
    for night in range(nights):
        for number, ref in enumerate(OBJECTS):
            outcome = REMEMBERED[(night + number) % len(REMEMBERED)]
            write(folder, (ref, outcome, "h1", RUNS[night % 3], night), night)
    answers = known(folder)
    assert all(answers)
    return answers


def test_a_compaction_leaves_one_page_and_at_most_three_lines_an_object(tmp_path: Path) -> None:
    before = filled(tmp_path)

    done = compact(tmp_path)

    assert (done.pages, done.lines) == (30, 30)
    assert done.kept <= 3 * len(OBJECTS)
    assert len(pages(tmp_path)) == 1
    assert known(tmp_path) == before
    assert compact(tmp_path).pages == 0


def test_a_compaction_in_parts_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled(tmp_path)
    monkeypatch.setattr("tracker_sync.state.compaction._LINES_AT_ONCE", 4)
    monkeypatch.setattr("tracker_sync.state.compaction._SAMPLED", 1)

    done = compact(tmp_path)

    assert done.lines == 30
    assert known(tmp_path) == before


def test_many_small_pages_become_one_as_loads_add_to_them(tmp_path: Path) -> None:
    entry = Entry(OBJECTS[0], PEOPLE[0], Outcome.STORED, content_hash="h")
    for number in range(250):
        remember(Page(tmp_path, f"r{number}", "slice", number, NOON), [entry], "m1")

    assert 2 <= len(pages(tmp_path)) <= 101
    assert followed_among(tmp_path, "TRACKED_ENTITY", PEOPLE) == {PEOPLE[0]}


KILLED_AT = """
import os, signal, sys
from pathlib import Path
import pyarrow.parquet  # so that nothing below is read from the disk for it
from tracker_sync.state.compaction import compact

def kill(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove") and str(arguments[0]).startswith(sys.argv[1]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

left = int(sys.argv[2])
sys.addaudithook(kill)
compact(Path(sys.argv[1]))
"""


def test_a_compaction_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    ends = []
    for moment in range(40):
        folder = tmp_path / str(moment)
        before = filled(folder, nights=1)

        ends.append(compact_and_die(folder, moment))

        assert known(folder) == before, moment
        if ends[-1] == 0:
            break

    assert ends[-1] == 0
    assert ends[:-1] == [-signal.SIGKILL] * len(ends[:-1])
    assert len(ends) > 8  # the draft, its two flushes, the rename, and five pages


def compact_and_die(folder: Path, moment: int) -> int:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-c", KILLED_AT, str(folder), str(moment)]
    return subprocess.run(command, env={"PYTHONPATH": path}, check=False).returncode


def test_who_reads_during_a_compaction_reads_all(tmp_path: Path) -> None:
    before = filled(tmp_path)
    done = threading.Event()

    def compact_again_and_again() -> None:
        for _ in range(20):
            write(tmp_path, (OBJECTS[0], Outcome.HELD, "h1", "r1", 0), 0)
            compact(tmp_path)
        done.set()

    thread = threading.Thread(target=compact_again_and_again)
    thread.start()
    seen = [known(tmp_path)]
    while not done.is_set():
        seen.append(known(tmp_path))
    thread.join()

    assert len(seen) > 2
    assert all(answers == before for answers in seen)


def test_a_list_made_while_a_compaction_removed_pages_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled(tmp_path)
    compactions: list[Compacted] = []

    def pages_as_seen(folder: Path) -> set[Path]:
        """Return nothing once: the new page came behind the reader, the old ones went before."""
        if not compactions:
            compactions.append(compact(folder))
            return set()
        return pages(folder)

    monkeypatch.setattr(state_lines, "pages", pages_as_seen)

    assert known(tmp_path) == before
    assert compactions[0].pages == 30


def test_whoever_asks_reads_each_page_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    read: list[Path] = []

    def seen(page: Path) -> str:
        read.append(page)
        return sha256_of(page)

    monkeypatch.setattr("tracker_sync.state.pages.sha256_of", seen)

    assert recall(tmp_path, PEOPLE, but_run="r1")
    assert sorted(read) == sorted(pages(tmp_path))
    assert len(read) == 30


def test_what_a_run_wrote_alone_is_not_read_for_it(tmp_path: Path) -> None:
    """In a first run each slice would read what all others wrote."""
    filled(tmp_path)

    runs = runs_read_for(tmp_path, "r1")
    compact(tmp_path)
    mixed = runs_read_for(tmp_path, "r1")

    assert runs == {"r2", "r3"}
    assert mixed == {*RUNS}


def runs_read_for(folder: Path, run: str) -> set[str]:
    read = parts(pages(folder), ["run"], run)
    return {*chain.from_iterable(part["run"].to_pylist() for part in read)}


def test_a_page_that_vanished_is_named(tmp_path: Path) -> None:
    with pytest.raises(PageVanished, match=r"none\.parquet"):
        next(parts([tmp_path / "none.parquet"]))


def held_by(folder: Path) -> pa.Table:
    return lines(folder, STATE.names, lambda part: pc.is_valid(part["uid"]))


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-20], lambda _: b""], ids=["cut", "empty"]
)
def test_a_damaged_page_is_refused_with_a_remedy(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    filled(tmp_path, nights=1)
    victim = min(pages(tmp_path))
    victim.write_bytes(damage(victim.read_bytes()))

    with pytest.raises(StateUnusable, match=rf"{victim.name}.*move its folder away"):
        held_by(tmp_path)


def test_no_flipped_bit_changes_what_is_known(tmp_path: Path) -> None:
    filled(tmp_path)
    compact(tmp_path)
    (victim,) = pages(tmp_path)
    content, before = victim.read_bytes(), held_by(tmp_path)
    chance = Random(1)  # noqa: S311  # no secret, but the same each time
    refused = 0
    for _ in range(400):
        place = chance.randrange(len(content))
        damaged = bytearray(content)
        damaged[place] ^= 1 << chance.randrange(8)
        victim.write_bytes(damaged)

        try:
            assert held_by(tmp_path).equals(before), place
        except StateUnusable:
            refused += 1

    assert refused == 400


@pytest.mark.parametrize("metadata", [{}, {"tracker_sync.state": "1"}], ids=["none", "earlier"])
@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "not sealed"])
def test_a_page_of_another_release_is_refused_with_a_remedy(
    tmp_path: Path, metadata: dict[str, str], *, sealed: bool
) -> None:
    page = tmp_path / "page.parquet"
    pq.write_table(STATE.with_metadata(metadata).empty_table(), page)
    if sealed:
        page.rename(page.with_stem(f"page--{sha256_of(page)}"))

    with pytest.raises(StateUnusable, match="another release"):
        recall(tmp_path, PEOPLE, but_run="r1")
    write(tmp_path, (OBJECTS[0], Outcome.STORED, "h1", "r1", 0), 0)
    with pytest.raises(StateUnusable, match="another release"):
        compact(tmp_path)
