"""A replay reads what was asked for: all that is refused, or by code, or by UID."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dhis2_api.errors import PermanentError
from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.runs.replay import Replay
from tracker_sync.state.known import Page, open_refusals, remember


AWA, BINTA, LONE = "AwaPerson01", "BintaPers02", "LoneEvent03"
VISIT, NOTE, STRANGER = "VisitOfAwa1", "NoteOfLone1", "StrangerXX1"
SURVEILLANCE = "fAw4hObwxfo"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A visit of Awa is refused, and a note of a lone event; Binta is stored."""
    lines = [
        Entry(Ref("TRACKED_ENTITY", AWA), AWA, Outcome.STORED, "created", content_hash="h"),
        Entry(Ref("EVENT", VISIT), AWA, Outcome.REFUSED, code="E1125", content_hash="h"),
        Entry(Ref("TRACKED_ENTITY", BINTA), BINTA, Outcome.STORED, "created", content_hash="h"),
    ]
    remember(Page(tmp_path, "r1", "rufisque", 1, datetime.now(UTC)), lines, "m1")
    lone = [
        Entry(Ref("EVENT", LONE), None, Outcome.STORED, "created", content_hash="h"),
        Entry(Ref("NOTE", NOTE), None, Outcome.REFUSED, code="E1120", lone_event=LONE),
    ]
    remember(Page(tmp_path, "r1", "cases", 2, datetime.now(UTC), SURVEILLANCE), lone, "m1")
    return tmp_path


def test_without_a_wish_everything_that_is_refused_is_read(state: Path) -> None:
    assert Replay().roots(state) == {
        Ref("TRACKED_ENTITY", AWA): "",
        Ref("EVENT", LONE): SURVEILLANCE,
    }


def test_what_is_of_a_lone_event_is_read_with_it_by_every_run(state: Path) -> None:
    assert open_refusals(state)[Ref("EVENT", LONE)] == SURVEILLANCE


def test_by_code(state: Path) -> None:
    assert Replay.of({"codes": ["E1125"]}).roots(state) == {Ref("TRACKED_ENTITY", AWA): ""}
    assert Replay.of({"codes": ["E1018"]}).roots(state) == {}


def test_by_uid_also_of_what_stands_below_and_of_what_is_not_refused(state: Path) -> None:
    asked = Replay.of({"uids": [VISIT, BINTA, NOTE, STRANGER], "codes": None})

    assert asked.roots(state) == {
        Ref("TRACKED_ENTITY", AWA): "",
        Ref("TRACKED_ENTITY", BINTA): "",
        Ref("EVENT", LONE): SURVEILLANCE,
        Ref("TRACKED_ENTITY", STRANGER): "",
    }


def test_by_both_only_what_of_them_is_refused_so(state: Path) -> None:
    asked = Replay.of({"uids": [VISIT, BINTA, STRANGER], "codes": ["E1125"]})

    assert asked.roots(state) == {Ref("TRACKED_ENTITY", AWA): ""}


@pytest.mark.parametrize(
    "params", [{"uids": "AwaPerson01"}, {"uids": ["too short"]}, {"codes": ["1125"]}], ids=str
)
def test_what_could_be_misread_is_refused_with_the_name_of_the_parameter(
    params: dict[str, object],
) -> None:
    with pytest.raises(PermanentError, match=next(iter(params))):
        Replay.of(params)
