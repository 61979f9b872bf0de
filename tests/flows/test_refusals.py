"""Whatever the destination refuses is named with code, object and remedy, and hurts nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.people import AWA, BINTA, NATIONAL_ID, PODOR, case, enrollment, person
from flows.refusals import CASES, NOT_IN_A_RUN, OTHER, Case
from flows.world import VERSIONS, Ground, World, world_on
from sandbox.exchanges import Exchange, recorded
from tracker_sync.runs.report_text import report_lines


# In `make check` each comes about on one version, on another one than the one before it.
EVERY_VERSION = os.environ.get("HYPOTHESIS_PROFILE") == "deep"


def on_versions() -> Iterator[tuple[str, Case]]:
    for number, case_of in enumerate(CASES):
        said_on = [version for version in VERSIONS if case_of.is_said_on(version)]
        for version in VERSIONS if EVERY_VERSION else [said_on[number % len(said_on)]]:
            yield version, case_of


@pytest.mark.parametrize(
    ("version", "case_of"),
    [*on_versions()],
    ids=lambda given: given if isinstance(given, str) else f"{given.code}-{given.of[0]}",
)
def test_a_refusal_is_named_and_its_neighbours_are_stored(
    version: str, case_of: Case, grounds: Callable[[str], Ground], tmp_path: Path
) -> None:
    with world_on(grounds(version), tmp_path) as world:
        refuse(case_of, world)


def refuse(case_of: Case, world: World) -> None:
    neighbour = enrollment(BINTA, PODOR, attributes=[{"attribute": NATIONAL_ID, "value": "ID-2"}])
    everybody = [person(), person(BINTA, PODOR, enrollments=[neighbour])]
    world.source.write(trackedEntities=everybody, events=[case(), case("CaseEvent02")])
    if case_of.first:
        assert world.run().totals["refused"] == 0
    case_of.spoil(world)

    run = world.run()

    if not case_of.is_said_on(world.version):
        assert case_of.code not in {code for _, code in run.refused.values()}
        return
    refusals = {(item["kind"], item["uid"]): item for item in run.report["refusals"]}
    named = refusals[case_of.of]
    assert (named["outcome"], named["code"]) == ("refused", case_of.code)
    assert named["do"]
    assert any(case_of.of[1] in line for line in report_lines(run.report))
    assert run.totals["missing"] == 0
    others = {key for key in world.differing() if not is_of_the_refused(key, case_of)}
    assert others == set()
    assert [uid for uid in (BINTA, "CaseEvent02") if uid in run.refused] == []

    again = world.run()

    assert again.refused.keys() == run.refused.keys()
    assert all(item["known"] for item in again.report["refusals"])
    assert again.problems == ()


def is_of_the_refused(key: tuple[str, ...], case_of: Case) -> bool:
    """Whether a difference is about the refused person or event, or whom they stand against."""
    letters = AWA[1:]
    ours = {case_of.of[1], AWA, OTHER, "AnotherEnr1", "AnotherEvt1"}
    return any(part in ours or part.endswith((letters, OTHER[1:])) for part in key[1:])


def refused_in(exchange: Exchange) -> list[str]:
    body = exchange.recorded.body
    report = (body.get("validationReport") if isinstance(body, dict) else None) or {}
    return [item["errorCode"] for item in report.get("errorReports") or ()]


def test_every_code_of_the_recordings_comes_about_or_cannot() -> None:
    codes = {
        code
        for version in ("2.40.9", "2.41.8", "2.42.4", "2.43.1")
        for exchange in recorded(version)
        for code in refused_in(exchange)
    }
    assert len(codes) > 40

    come_about = {case_of.code for case_of in CASES}

    assert codes - come_about == NOT_IN_A_RUN.keys() & codes
    assert come_about & NOT_IN_A_RUN.keys() == set()
