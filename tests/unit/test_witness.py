"""A state that does not remember what the watermarks have passed is found out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import read_keys, replace_value
from servers import running
from tracker_sync.servers import note_servers, state_folder
from tracker_sync.windows.checkpoint import NAMESPACE
from tracker_sync.windows.clocks import Clocks
from tracker_sync.windows.witness import Witness, new_token, read_witness, write_witness
from tracker_sync.workspace import Workspace


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLOCKS = Clocks(NOON, NOON + timedelta(seconds=3))


@dataclass(frozen=True)
class Route:
    """A route whose runs settle, and what lies of it on either side."""

    destination: Dhis2Client
    workspace: Workspace

    @property
    def state(self) -> Path:
        return state_folder(self.workspace)

    def settle(self) -> None:
        write_witness(self.destination, self.workspace, Witness(new_token(self.state), CLOCKS))

    def fits(self) -> bool:
        return read_witness(self.destination, self.workspace).fits(self.state)


@pytest.fixture
def route(tmp_path: Path) -> Iterator[Route]:
    workspace = Workspace(tmp_path / "staging", "north", "night")
    note_servers(workspace, "a", "b")
    with running(tmp_path, "to") as destination:
        yield Route(destination, workspace)


def test_before_the_first_run_neither_side_has_anything(route: Route) -> None:
    assert read_witness(route.destination, route.workspace) == Witness()
    assert route.fits()


def test_night_after_night_they_fit_and_the_clocks_come_back(route: Route) -> None:
    for _ in range(3):
        route.settle()

        assert route.fits()
    assert read_witness(route.destination, route.workspace).clocks == CLOCKS


def test_a_lost_state_is_found_out(route: Route) -> None:
    route.settle()

    shutil.rmtree(route.state)

    assert not route.fits()


def test_a_state_restored_from_an_older_copy_is_found_out(route: Route, tmp_path: Path) -> None:
    route.settle()
    shutil.copytree(route.state, tmp_path / "copy")
    route.settle()

    shutil.rmtree(route.state)
    shutil.copytree(tmp_path / "copy", route.state)

    assert not route.fits()


def test_a_state_that_knows_more_than_a_restored_destination_fits(route: Route) -> None:
    route.settle()
    kept = read_witness(route.destination, route.workspace)
    route.settle()

    write_witness(route.destination, route.workspace, kept)

    assert route.fits()


def test_a_kill_between_the_two_writes_costs_nothing(route: Route) -> None:
    route.settle()

    new_token(route.state)

    assert route.fits()


def test_what_is_no_witness_fits_nothing(route: Route) -> None:
    route.settle()
    (key,) = read_keys(route.destination, NAMESPACE)

    replace_value(route.destination, NAMESPACE, key, {"token": 3})

    assert not route.fits()


def test_between_other_servers_it_is_another_story(route: Route) -> None:
    route.settle()

    note_servers(route.workspace, "a", "elsewhere")

    assert route.fits()
