"""A run is green only if everybody who was listed is accounted for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dhis2_api.importer import Ref
from planned import phases_find_nothing
from tracker_sync.codes import remedy_for
from tracker_sync.ledger import write_ledger
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.route import Route
from tracker_sync.runs.after_slices import PHASES, begin_load
from tracker_sync.runs.plan import RunPlan, read_run_plan, write_run_plan
from tracker_sync.runs.report_text import report_lines
from tracker_sync.runs.slicing import Slice
from tracker_sync.servers import note_servers
from tracker_sync.staging.sealed import write_sealed
from tracker_sync.steps.plan_slices import TO_READ
from tracker_sync.steps.settle import RunNotClean, Settlement, require_clean, settle
from tracker_sync.windows.window import Window
from tracker_sync.workspace import Workspace


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST, SECOND = "person00001", "person00002"
PEOPLE = (Ref("TRACKED_ENTITY", FIRST), Ref("TRACKED_ENTITY", SECOND))
LONE = Ref("EVENT", "event000001")  # without registration


def entry(uid: str, outcome: Outcome = Outcome.STORED, **more: Any) -> Entry:
    action = "created" if outcome is Outcome.STORED else None
    return Entry(Ref("TRACKED_ENTITY", uid), uid, outcome, **{"action": action, **more})


class Run:
    """A run with one slice of two people, or of what is given; a test writes its ledger."""

    def __init__(self, root: Path, *to_read: Ref) -> None:
        self.workspace = Workspace(root, "north", "manual__1")
        window = Window(None, NOON, None, moves=True)
        slices = (Slice("rufisque001", "Rufisque", 2),)
        plan = RunPlan({"p": window}, {"p": "key"}, slices, "UTC", 0, 0)
        write_run_plan(self.workspace.plan, plan)
        rows = [
            {
                "kind": ref.kind,
                "uid": ref.uid,
                "slice": "rufisque001",
                "programs": ["p"],
                "listed": True,
            }
            for ref in to_read or PEOPLE
        ]
        write_sealed(self.workspace.listing, pa.Table.from_pylist(rows, TO_READ))
        phases_find_nothing(self.workspace)

    def settled(self, *entries: Entry, refused: str = "fail") -> Settlement:
        if entries:
            write_ledger(self.workspace.ledger("rufisque001"), entries)
        given = {"source": "a", "destination": "b", "programs": ("xsd8pFBm2w1",)}
        route = Route(name="north", org_units=("GwTj6qZdrlX",), refused=refused, **given)  # type: ignore[arg-type]
        return settle(route, self.workspace)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_all_accounted_for_moves_the_watermark(run: Run) -> None:
    settlement = run.settled(entry(FIRST), entry(SECOND, Outcome.UNCHANGED))

    require_clean(settlement)
    assert settlement.accounted == {"key": Window(None, NOON, None, moves=True)}


def test_a_slice_that_never_reported_is_missing_and_holds_the_watermark(run: Run) -> None:
    settlement = run.settled()

    assert settlement.accounted == {}
    assert settlement.report["totals"]["missing"] == 2
    with pytest.raises(RunNotClean, match="SYNC_NO_LEDGER"):
        require_clean(settlement)


def test_a_phase_that_did_not_come_to_its_end_is_red_and_holds_the_watermark(run: Run) -> None:
    run.workspace.ledger("owners").unlink()

    settlement = run.settled(entry(FIRST), entry(SECOND))

    assert settlement.accounted == {}
    with pytest.raises(RunNotClean, match="`owners` wrote no ledger"):
        require_clean(settlement)


def test_what_a_phase_says_of_an_object_counts_and_it_counts_once(run: Run) -> None:
    write_ledger(run.workspace.ledger("second_pass"), [entry(SECOND)])

    settlement = run.settled(entry(FIRST), entry(SECOND, Outcome.REFUSED, code="E1064"))

    require_clean(settlement)
    assert settlement.report["totals"]["read"] == settlement.report["totals"]["created"] == 2
    named = {
        row["uid"]: row["slice"] for row in pq.read_table(run.workspace.run_ledger).to_pylist()
    }
    assert named == {FIRST: "rufisque001", SECOND: "second_pass"}


def test_an_object_twice_in_a_phase_is_red_and_holds_the_watermark(run: Run) -> None:
    lines = [entry(SECOND), entry(SECOND, Outcome.REFUSED, code="E1064")]
    write_ledger(run.workspace.ledger("second_pass"), lines)

    settlement = run.settled(entry(FIRST), entry(SECOND))

    assert settlement.accounted == {}
    with pytest.raises(RunNotClean, match=f"{SECOND} stands twice"):
        require_clean(settlement)


def test_an_object_that_came_to_no_end_there_is_is_red(run: Run) -> None:
    settlement = run.settled(entry(FIRST), entry(SECOND, action="forgotten"))

    assert settlement.accounted == {}
    with pytest.raises(RunNotClean, match="do not add up"):
        require_clean(settlement)


def test_the_runs_ledger_says_of_a_code_what_class_it_is_of_and_who_acts(run: Run) -> None:
    run.settled(entry(FIRST), entry(SECOND, Outcome.REFUSED, code="E1125", batch=3))

    stored, refused = pq.read_table(run.workspace.run_ledger).sort_by("uid").to_pylist()

    assert (stored["class"], stored["who"], stored["batch"]) == (None, None, None)
    remedy = remedy_for("E1125")
    assert (refused["class"], refused["who"]) == (remedy.kind, remedy.who)
    assert (refused["batch"], refused["attempt"]) == (3, 1)
    assert stored["at"] is not None


def test_a_load_that_begins_anew_voids_what_the_phases_came_to(run: Run) -> None:
    run.settled(entry(FIRST), entry(SECOND))
    (piece,) = read_run_plan(run.workspace.plan).slices

    attempts = [begin_load(run.workspace, piece) for _ in range(2)]

    assert attempts == [1, 2]
    assert not run.workspace.ledger(piece.slice).exists()
    assert [phase for phase in PHASES if run.workspace.ledger(phase).exists()] == []


def test_a_person_the_ledger_does_not_speak_of_is_missing(run: Run) -> None:
    settlement = run.settled(entry(FIRST))

    assert settlement.accounted == {}
    assert [item["uid"] for item in settlement.report["refusals"]] == [SECOND]


def test_a_lone_event_is_accounted_for_by_a_line_of_its_own(tmp_path: Path) -> None:
    run = Run(tmp_path, LONE)

    spoken_of = run.settled(Entry(LONE, None, Outcome.STORED, "created"))
    silent = run.settled(Entry(LONE, FIRST, Outcome.STORED, "created"))

    require_clean(spoken_of)
    assert silent.report["totals"]["missing"] == 1
    (refusal,) = silent.report["refusals"]
    assert (refusal["kind"], refusal["uid"], refusal["tracked_entity"]) == (*LONE, None)
    assert f"  missing (new): {LONE.kind} {LONE.uid}" in report_lines(silent.report)


def test_a_new_refusal_is_red_and_lets_the_watermark_pass(run: Run) -> None:
    settlement = run.settled(entry(FIRST), entry(SECOND, Outcome.REFUSED, code="E1125"))

    assert settlement.accounted
    with pytest.raises(RunNotClean, match=r"E1125: .*option.*TRACKED_ENTITY person00002"):
        require_clean(settlement)


def test_the_log_says_each_code_once_in_english_and_in_french(run: Run) -> None:
    refused = [entry(uid, Outcome.REFUSED, code="E1125") for uid in (FIRST, SECOND)]

    lines = report_lines(run.settled(*refused).report)

    (english,) = [index for index, line in enumerate(lines) if line.startswith("E1125, ")]
    assert "add the option on both servers" in lines[english]
    assert lines[english + 1].startswith("  fr: une valeur")
    assert lines[english + 2 : english + 4] == [
        f"  refused (new): TRACKED_ENTITY {uid} of tracked entity {uid}" for uid in (FIRST, SECOND)
    ]


def test_many_refusals_of_one_code_do_not_hide_those_of_another(run: Run) -> None:
    events = [Ref("EVENT", f"event{index:06}") for index in range(30)]
    refused = [Entry(ref, FIRST, Outcome.REFUSED, code="E1007") for ref in events]
    other = entry(SECOND, Outcome.REFUSED, code="E1125")

    lines = report_lines(run.settled(entry(FIRST), *refused, other).report)

    assert [line for line in lines if SECOND in line and line.startswith("  refused")]
    assert sum(line.startswith("  refused") for line in lines) == 6
    assert "and 25 more, in report.json" in lines


def test_a_refusal_links_to_the_server_where_it_is_mended(tmp_path: Path) -> None:
    addresses = {"source": "https://north.example", "destination": "https://national.example"}
    note_servers(Workspace(tmp_path, "north", "manual__1"), "north", "national", addresses)
    run = Run(tmp_path)

    settlement = run.settled(
        entry(FIRST, Outcome.REFUSED, code="E1018"), entry(SECOND, Outcome.REFUSED, code="E1015")
    )

    links = {item["code"]: item["link"] for item in settlement.report["refusals"]}
    assert links["E1018"].startswith("https://north.example/")
    assert links["E1018"].endswith(FIRST)
    assert links["E1015"].startswith("https://national.example/")
    assert any(line.endswith(links["E1015"]) for line in report_lines(settlement.report))


def test_without_an_address_there_is_no_link(tmp_path: Path) -> None:
    note_servers(Workspace(tmp_path, "north", "manual__1"), "north", "national")
    run = Run(tmp_path)

    settlement = run.settled(entry(FIRST), entry(SECOND, Outcome.REFUSED, code="E1018"))

    assert [item["link"] for item in settlement.report["refusals"]] == [None]


def test_a_known_refusal_is_green(run: Run) -> None:
    refused = entry(SECOND, Outcome.REFUSED, code="E1125", known=True)

    require_clean(run.settled(entry(FIRST), refused))


def test_a_replay_is_red_of_what_is_still_refused_though_it_is_known(run: Run) -> None:
    plan = read_run_plan(run.workspace.plan)
    write_run_plan(run.workspace.plan, replace(plan, windows={}, watermark_keys={}, again=True))

    settlement = run.settled(entry(FIRST), entry(SECOND, Outcome.REFUSED, code="E4010", known=True))

    (problem,) = settlement.problems
    assert problem.startswith("1 refused, E4010: ")
    assert SECOND in problem
    assert settlement.accounted == {}


def test_a_refusal_the_route_only_warns_of_is_green(run: Run) -> None:
    refused = entry(SECOND, Outcome.REFUSED, code="E1125")

    require_clean(run.settled(entry(FIRST), refused, refused="warn"))


def test_an_object_in_two_places_is_red_and_holds_the_watermark(run: Run) -> None:
    settlement = run.settled(entry(FIRST), entry(SECOND), entry(SECOND, Outcome.REFUSED))

    assert settlement.accounted == {}
    with pytest.raises(RunNotClean, match="stands twice"):
        require_clean(settlement)


def test_a_run_without_a_plan_is_red(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.workspace.plan.unlink()

    with pytest.raises(RunNotClean, match="before its slices were planned"):
        run.settled()
