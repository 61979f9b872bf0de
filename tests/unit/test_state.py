"""The state remembers what runs came to, folds it, and is a cache that may be lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import SURVEILLANCE
from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.state.known import (
    Page,
    followed_among,
    open_refusals,
    recall,
    remember,
)


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENT = Ref("EVENT", "event000001")
PERSON = "person00001"
LONE = Ref("EVENT", "event000002")  # of a program without registration


def line(outcome: Outcome, code: str | None = None) -> Entry:
    return Entry(EVENT, PERSON, outcome, code=code, content_hash="h")


def followed(folder: Path) -> set[Ref]:
    return {ref for ref in (EVENT, LONE) if followed_among(folder, ref.kind, [ref.uid])}


def of_nobody(outcome: Outcome) -> Entry:
    return Entry(LONE, None, outcome, content_hash="h")


def write(folder: Path, run: str, *entries: Entry, reads: int = 0) -> None:
    remember(Page(folder, run, "rufisque", reads, NOON), entries, "m1")


def write_alone(folder: Path, run: str, *entries: Entry) -> None:
    remember(Page(folder, run, "rufisque", 0, NOON, SURVEILLANCE), entries, "m1")


def test_nothing_is_known_of_a_route_that_never_ran(tmp_path: Path) -> None:
    assert recall(tmp_path / "none", {PERSON}, but_run="r2") == {}
    assert open_refusals(tmp_path / "none") == {}
    assert followed(tmp_path / "none") == set()


def test_a_refusal_is_known_to_later_runs_and_not_to_its_own(tmp_path: Path) -> None:
    write(tmp_path, "r1", line(Outcome.REFUSED, "E1125"))

    known = recall(tmp_path, {PERSON}, but_run="r2")[EVENT]

    assert (known.refused, known.content_hash, known.model_hash) == ("E1125", "h", "m1")
    assert known.read_number == 0
    assert recall(tmp_path, {PERSON}, but_run="r1") == {}
    assert recall(tmp_path, {"person00002"}, but_run="r2") == {}
    assert open_refusals(tmp_path) == {Ref("TRACKED_ENTITY", PERSON): ""}


def test_the_later_line_counts(tmp_path: Path) -> None:
    write(tmp_path, "r1", line(Outcome.REFUSED, "E1125"))
    write(tmp_path, "r2", line(Outcome.STORED), reads=1)

    known = recall(tmp_path, {PERSON}, but_run="r3")[EVENT]

    assert (known.refused, known.read_number) == (None, 1)
    assert open_refusals(tmp_path) == {}


def test_a_refused_object_that_was_deleted_at_the_source_is_no_open_refusal(
    tmp_path: Path,
) -> None:
    write(tmp_path, "r1", line(Outcome.REFUSED, "E1125"))
    write(tmp_path, "r2", line(Outcome.HELD, "SYNC_DELETE_HELD"), reads=1)

    assert open_refusals(tmp_path) == {}


def test_a_load_again_counts_and_forgets_nothing(tmp_path: Path) -> None:
    write(tmp_path, "r1", line(Outcome.REFUSED, "E1125"), of_nobody(Outcome.STORED))
    write(tmp_path, "r1", line(Outcome.STORED))

    assert open_refusals(tmp_path) == {}
    assert followed(tmp_path) == {EVENT, LONE}


def test_an_older_read_that_is_written_later_does_not_win(tmp_path: Path) -> None:
    write(tmp_path, "r2", line(Outcome.REFUSED, "E1125"), reads=1)
    write(tmp_path, "r1", line(Outcome.STORED))

    known = recall(tmp_path, {PERSON}, but_run="r3")[EVENT]

    assert (known.refused, known.read_number) == ("E1125", 1)
    assert open_refusals(tmp_path) == {Ref("TRACKED_ENTITY", PERSON): ""}


def test_what_is_missing_is_not_remembered(tmp_path: Path) -> None:
    write(tmp_path, "r1", line(Outcome.MISSING, "SYNC_NOT_RETURNED"))

    assert recall(tmp_path, {PERSON}, but_run="r2") == {}


def test_a_refused_event_of_nobody_is_read_again_itself(tmp_path: Path) -> None:
    write(tmp_path, "r1", line(Outcome.REFUSED, "E1125"))
    write_alone(tmp_path, "r1", of_nobody(Outcome.REFUSED))

    assert open_refusals(tmp_path) == {Ref("TRACKED_ENTITY", PERSON): "", LONE: SURVEILLANCE}
    assert recall(tmp_path, {PERSON}, but_run="r2").keys() == {EVENT}
    assert recall(tmp_path, (), but_run="r2", events={LONE.uid}).keys() == {LONE}


def test_what_was_ever_there_is_followed_also_while_it_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "r1", line(Outcome.UNCHANGED), of_nobody(Outcome.STORED))
    write(tmp_path, "r2", line(Outcome.REFUSED, "E1125"), reads=1)

    assert followed(tmp_path) == {EVENT, LONE}
    assert followed_among(tmp_path, "EVENT", [LONE.uid, "event000003"]) == {LONE.uid}
    assert followed_among(tmp_path, "ENROLLMENT", [LONE.uid]) == frozenset()


def test_what_was_only_ever_refused_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "r1", line(Outcome.REFUSED, "E1125"))

    assert followed(tmp_path) == set()


@pytest.mark.parametrize("outcome", [Outcome.HELD, Outcome.UNCHANGED, Outcome.STORED])
def test_what_is_gone_at_the_source_is_followed_no_more_until_it_returns(
    tmp_path: Path, outcome: Outcome
) -> None:
    write(tmp_path, "r1", line(Outcome.STORED))
    write(tmp_path, "r2", Entry(EVENT, PERSON, outcome), reads=1)
    gone = followed(tmp_path)
    write(tmp_path, "r3", line(Outcome.REFUSED, "E1125"), reads=2)
    refused = followed(tmp_path)
    write(tmp_path, "r4", line(Outcome.STORED), reads=3)

    assert gone == refused == set()
    assert followed(tmp_path) == {EVENT}
