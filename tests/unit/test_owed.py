"""A value that was given up is owed until some run of the route settles it, whichever that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tracker_sync.second_pass.owed import Owed, note_owed, owed_of, settle_owed
from tracker_sync.servers import note_servers
from tracker_sync.workspace import Workspace


AWAS = Owed("AwaPerson01", "kd7nkrMgEfm", "ID-1")
BINTAS = Owed("BintaPers02", "kd7nkrMgEfm", "ID-2")


@pytest.fixture
def night(tmp_path: Path) -> Workspace:
    return begun(Workspace(tmp_path, "demo", "scheduled__2026-11-24T00:00:00+00:00"))


def begun(run: Workspace, destination: str = "b") -> Workspace:
    note_servers(run, "a", destination)
    return run


def test_a_later_run_finds_what_an_earlier_one_owes(night: Workspace) -> None:
    later = begun(replace(night, run_id="manual__2"))

    note_owed(night, AWAS)
    note_owed(night, BINTAS)

    assert owed_of(later) == owed_of(night) == [AWAS, BINTAS]


def test_what_a_later_run_settled_is_owed_no_more_and_the_rest_is(night: Workspace) -> None:
    later = begun(replace(night, run_id="manual__2"))
    note_owed(night, AWAS)
    note_owed(later, BINTAS)

    settle_owed(later, [AWAS])

    assert owed_of(night) == [BINTAS]
    assert not night.given_up.exists()


def test_a_run_between_other_servers_owes_nothing_here(night: Workspace) -> None:
    elsewhere = begun(replace(night, run_id="manual__2"), "another")
    note_owed(elsewhere, AWAS)

    settle_owed(night, [AWAS])

    assert owed_of(night) == []
    assert owed_of(elsewhere) == [AWAS]


def test_only_the_owner_may_read_it_and_no_repr_shows_the_value(night: Workspace) -> None:
    note_owed(night, AWAS)

    assert night.given_up.stat().st_mode & 0o777 == 0o600
    assert AWAS.value not in repr(AWAS)
