"""Whole runs of the DAG between two servers on sockets; the tests look at the destination."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dhis2_airflow import slice_operators
from dhis2_api.errors import PermanentError
from e2e.sync import ROUTE, Sync, states
from tracker_sync.package import open_package
from tracker_sync.steps.load import load
from tracker_sync_demo.compare import compare
from tracker_sync_demo.edits import edit


PROGRAMS = ("xsd8pFBm2w1", "m8nERzkN6j4", "pjYwBlP46Rf")


def test_everything_at_the_source_reaches_the_destination(sync: Sync) -> None:
    run = sync.run()

    assert run.state == "success"
    assert set(states(run).values()) == {"success"}
    found = compare(sync.source, sync.destination, PROGRAMS)
    assert found.records > 1_000
    assert found.differing == frozenset()
    totals = sync.report()["totals"]
    assert totals["read"] == totals["created"] == sync.ledger().num_rows


def test_a_second_run_sends_nothing_and_moves_no_stamp(sync: Sync) -> None:
    sync.run()
    before = stamps(sync)
    send_again_unchanged(sync)

    run = sync.run()

    assert run.state == "success"
    assert sync.report()["totals"]["read"] > 0
    assert sync.report()["totals"]["sent"] == 0
    assert stamps(sync) == before


def test_a_refusal_is_red_once_and_never_blocks_its_neighbours(sync: Sync) -> None:
    sync.run()
    edits = edit(sync.source)

    red = sync.run()

    assert states(red) == {**dict.fromkeys(states(red), "success"), "settle": "failed"}
    refused = sync.report()["refusals"]
    assert {item["uid"] for item in refused} == edits.refused
    assert refused[0]["code"] == "E1125"
    assert "option" in refused[0]["do"]
    assert {uid for _, uid in differing(sync)} == edits.refused

    green = sync.run()

    assert green.state == "success"
    assert sync.report()["totals"]["sent"] == 0
    assert [item["known"] for item in sync.report()["refusals"]] == [True]


def test_a_refusal_the_route_only_warns_of_is_green_and_named(sync: Sync) -> None:
    sync.write_route(ROUTE + "refused: warn\n")
    sync.run()
    edits = edit(sync.source)

    run = sync.run()

    assert run.state == "success"
    assert {item["uid"] for item in sync.report()["refusals"]} == edits.refused


def test_a_slice_that_fails_is_red_and_the_next_scheduled_run_repairs_it(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.run()
    edits = edit(sync.source)
    (victim,) = edits.created
    with monkeypatch.context() as broken:
        broken.setattr(slice_operators, "load", fails_for(victim))
        red = sync.run()

    assert states(red)["slice.load"] == "failed"
    assert states(red)["settle"] == "failed"
    assert sync.report()["totals"]["missing"] > 0
    assert any("SYNC_NO_LEDGER" in problem for problem in sync.report()["problems"])
    assert victim in {uid for _, uid in differing(sync)}
    starts_of_the_red_run = starts(sync)

    repaired = sync.run(scheduled=True)

    assert starts(sync) <= starts_of_the_red_run
    assert states(repaired)["slice.load"] == "success"
    assert {uid for _, uid in differing(sync)} == edits.refused


def fails_for(victim: str) -> Callable[..., dict[str, Any]]:
    """Return the step `load` as it is, but for the slice that holds *victim*."""

    def load_or_fail(*arguments: Any) -> dict[str, Any]:
        bundles = open_package(arguments[-1])
        if any(
            victim in group["bundles"]["payload"].to_pylist()[0] for group in bundles.row_groups()
        ):
            raise PermanentError("the slice was broken by its test")
        return load(*arguments)

    return load_or_fail


def send_again_unchanged(sync: Sync) -> None:
    """Make the source stamp people anew without changing them (measured: Clock)."""
    fields = "trackedEntity,trackedEntityType,orgUnit,geometry"
    listed = sync.source.get(
        "/api/tracker/trackedEntities",
        {"program": PROGRAMS[0], "orgUnitMode": "ACCESSIBLE", "fields": fields, "pageSize": 10},
    )
    assert listed["trackedEntities"]
    sync.source.post(
        "/api/tracker", {"trackedEntities": listed["trackedEntities"]}, {"async": "false"}
    )


def starts(sync: Sync) -> str:
    return str(max(window["start"] for window in sync.report()["windows"].values()))


def stamps(sync: Sync) -> dict[str, str]:
    answer: dict[str, Any] = sync.destination.get(
        "/api/tracker/trackedEntities",
        {
            "program": PROGRAMS[0],
            "orgUnitMode": "ACCESSIBLE",
            "fields": "trackedEntity,updatedAt",
            "pageSize": 1000,
        },
    )
    found = {row["trackedEntity"]: row["updatedAt"] for row in answer["trackedEntities"]}
    assert found
    return found


def differing(sync: Sync) -> frozenset[tuple[str, str]]:
    return compare(sync.source, sync.destination, PROGRAMS).differing
